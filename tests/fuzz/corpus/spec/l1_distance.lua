-- How far each window is from the kernel: the sum of |x - w|, as in block matching and in AdderNet.
-- Zeros outside of the input are values like any others: |0 - w| counts.
local function distance(x, w) return convc.abs(x - w) end

return {
    convc.conv {
        name = "blocks",
        input = { 1, 1, 48, 48 }, out_channels = 4, kernel_size = 8, stride = 4,
        layout = "nchw", combine = distance,
    },
    convc.conv {
        name = "adder",
        input = { 1, 16, 28, 28 }, out_channels = 32, kernel_size = 3, padding = 1,
        combine = distance,
        epilogue = function(acc, e) return convc.relu(e.bias - acc) end,
        args = { bias = "channel" },
    },
    convc.conv {
        name = "inside_only",
        input = { 1, 8, 21, 23 }, out_channels = 8, kernel_size = 3, padding = 1,
        padding_mode = "identity", layout = "nchw", combine = distance,
    },
    convc.conv {
        name = "groups",
        input = { 1, 32, 14, 14 }, out_channels = 32, groups = 8, kernel_size = 3, padding = 1,
        stride = 2, padding_mode = "symmetric", combine = distance,
    },
}
