-- A stride per axis. "same" now means ceil(input / stride) outputs.

local function conv(name, stride)
    return convc.conv {
        name = name,
        input = { 1, 3, 27, 30 },
        out_channels = 16,
        kernel_size = 5,
        stride = stride,
        padding = "same",
    }
end

return { conv("both", 2), conv("height", { 3, 1 }), conv("beyond_kernel", 7) }
