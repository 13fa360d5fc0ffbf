-- The Euclidean distance of each window from the kernel. A reduction can be a function of what has
-- been gathered and of the next term; this one is a sum of squares, and is computed as such.
return {
    convc.conv {
        name = "euclid",
        input = { 1, 16, 28, 28 }, out_channels = 32, kernel_size = 3, padding = 1,
        combine = function(x, w) return x - w end,
        reduce = { init = 0, fn = function(acc, t) return acc + t * t end },
        epilogue = function(acc) return convc.sqrt(acc) end,
    },
    convc.conv {
        name = "radial",
        input = { 1, 12, 20 }, out_channels = 20, kernel_size = 5, dilation = 2, padding = "same",
        padding_mode = "circular", layout = "nchw",
        combine = function(x, w) return (x - w) ^ 2 end,
        epilogue = function(acc, e) return convc.exp(-acc * e.width) end,
        args = { width = "scalar" },
    },
}
