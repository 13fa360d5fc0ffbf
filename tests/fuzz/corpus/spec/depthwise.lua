-- Depthwise: groups = channels, so that every channel has a kernel of its own, or several (a
-- multiplier): output channels MULTIPLIER * c and up belong to channel c.
--
-- MULTIPLIER: 1 | 2
-- >>> windows = sliding_window_view(np.pad(x, ((0, 0), (1, 1), (1, 1))), (3, 3), axis=(1, 2))
-- >>> y = np.einsum("ohwrs,ors->ohw", windows.repeat(MULTIPLIER, axis=0), w[:, 0])

return convc.conv {
    input = { 1, 24, 15, 15 },
    out_channels = 24 * convc.param("MULTIPLIER", 1),
    kernel_size = 3,
    groups = 24,
    padding = 1,
}
