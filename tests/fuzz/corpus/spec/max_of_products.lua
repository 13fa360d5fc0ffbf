-- The largest product instead of their sum, and what a fold can do: the largest of |x * w|, and a
-- sum that forgets. A fold is done tap by tap, in the order depth, height, width, channel.
return {
    convc.conv {
        name = "largest",
        input = { 1, 16, 28, 28 }, out_channels = 32, kernel_size = 3, padding = 1, reduce = "max",
    },
    convc.conv {
        name = "magnitude",
        input = { 1, 24, 24, 20 }, out_channels = 24, groups = 24, kernel_size = 5, padding = 2,
        padding_mode = "reflect",
        reduce = { init = 0, fn = function(acc, t) return convc.max(acc, convc.abs(t)) end },
    },
    convc.conv {
        name = "forgetful",
        input = { 1, 8, 64 }, out_channels = 8, groups = 8, kernel_size = 16,
        padding = { { 15, 0 } },
        reduce = { init = 0, fn = function(acc, t) return acc * 0.9 + t end },
    },
    convc.conv {
        name = "all_of_them",
        input = { 1, 4, 5, 12, 12 }, out_channels = 8, kernel_size = { 2, 3, 3 }, layout = "nchw",
        combine = function(x, w) return 1 + x * w / 64 end, reduce = "prod",
    },
}
