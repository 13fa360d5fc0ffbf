-- What taps outside of the input read: all seven modes, with pads wider than the input is high.

local list = {}
for i, mode in ipairs { "zeros", "constant", "reflect", "symmetric", "replicate", "circular",
                        "identity" } do
    list[i] = convc.conv {
        name = mode,
        input = { 1, 4, 5, 19 },
        out_channels = 8,
        kernel_size = 3,
        padding = { 7, 2 },
        padding_mode = mode,
        padding_value = 0.5, -- read by "constant" alone
    }
end
return list
