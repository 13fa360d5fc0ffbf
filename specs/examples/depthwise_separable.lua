-- A depthwise convolution and a pointwise one after it, as in MobileNet: two convolutions, of which
-- the second takes the output of the first.

local relu6 = { "clamp", 0, 6 }

return {
    convc.conv {
        name = "depthwise",
        input = { 1, 32, 28, 28 },
        out_channels = 32,
        kernel_size = 3,
        groups = 32,
        stride = 2,
        padding = 1,
        bias = true,
        activation = relu6,
    },
    convc.conv {
        name = "pointwise",
        input = { 1, 32, 14, 14 },
        out_channels = 64,
        kernel_size = 1,
        bias = true,
        activation = relu6,
    },
}
