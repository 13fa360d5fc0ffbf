-- Groups: output channels of one group see the input channels of that group only.

local function conv(name, channels, groups)
    return convc.conv {
        name = name,
        input = { 1, channels, 14, 14 },
        out_channels = channels,
        kernel_size = 3,
        groups = groups,
        padding = 1,
    }
end

return { conv("narrow", 64, 16), conv("wide", 64, 2), conv("odd", 30, 3) }
