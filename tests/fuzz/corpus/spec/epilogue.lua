-- What follows the sum, in the place of bias, residual and activation: any expression of it and of
-- args, which are given at run time (--arg NAME=FILE): one element for each output channel, one for
-- each output, or one for all.
return {
    convc.conv {
        name = "batch_norm",
        input = { 1, 16, 28, 28 }, out_channels = 32, kernel_size = 3, padding = 1,
        epilogue = function(acc, e) return convc.relu(acc * e.scale + e.shift) end,
        args = { scale = "channel", shift = "channel" },
    },
    convc.conv {
        name = "gated",
        input = { 1, 8, 15, 17 }, out_channels = 12, kernel_size = 1, layout = "nchw",
        epilogue = function(acc, e) return acc * convc.sigmoid(e.gate) + e.skip * e.gain end,
        args = { gate = "tensor", skip = "tensor", gain = "scalar" },
    },
    convc.conv {
        name = "quantised",
        input = { 1, 24, 14, 14 }, out_channels = 24, groups = 24, kernel_size = 3, padding = 1,
        epilogue = function(acc, e)
            local steps = convc.floor(acc / e.step + 0.5)
            return convc.where(convc.lt(steps, -128), -128, convc.min(steps, 127))
        end,
        args = { step = "scalar" },
    },
}
