-- A depthwise convolution and a pointwise one after it, as in MobileNet: two convolutions, of which
-- the second takes the output of the first. STEP chooses one, to run it on arrays of one's own.
--
-- STEP: depthwise | pointwise
-- >>> if STEP == "depthwise":
-- ...     windows = sliding_window_view(np.pad(x, ((0, 0), (1, 1), (1, 1))), (3, 3), axis=(1, 2))
-- ...     y = np.einsum("ihwrs,irs->ihw", windows[:, ::2, ::2], w[:, 0])
-- ... else:
-- ...     y = np.tensordot(w[:, :, 0, 0], x, 1)
-- >>> y = np.clip(y + b[:, None, None], 0, 6)

local relu6 = { "clamp", 0, 6 }

local steps = {
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

local choice = { both = steps, depthwise = steps[1], pointwise = steps[2] }
return choice[convc.param("STEP", "both")]
