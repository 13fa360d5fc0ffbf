-- As many groups as channels: every channel has a kernel of its own, or several (a multiplier).

local function conv(name, multiplier)
    return convc.conv {
        name = name,
        input = { 1, 24, 15, 15 },
        out_channels = 24 * multiplier,
        kernel_size = 3,
        groups = 24,
        padding = 1,
    }
end

return { conv("one_each", 1), conv("two_each", 2) }
