-- The minimum of x - w: erosion; and the distance transform of one step, which is min-plus with the
-- distance to each tap as its weights.
local function least(x, w) return x - w end

return {
    convc.conv {
        name = "erosion",
        input = { 1, 8, 40, 40 }, out_channels = 8, groups = 8, kernel_size = 3, padding = 1,
        padding_mode = "identity",
        combine = least, reduce = "min",
    },
    convc.conv {
        name = "dilated",
        input = { 1, 6, 33, 31 }, out_channels = 12, groups = 2, kernel_size = 3, padding = 2,
        dilation = 2, padding_mode = "replicate", layout = "nchw",
        combine = least, reduce = "min",
    },
    convc.conv {
        name = "distances",
        input = { 1, 1, 50, 50 }, kernel_size = 3, padding = 1, padding_mode = "constant",
        padding_value = 1000,
        weights = { { 1.5, 1, 1.5 }, { 1, 0, 1 }, { 1.5, 1, 1.5 } },
        combine = function(x, w) return x + w end, reduce = "min",
    },
}
