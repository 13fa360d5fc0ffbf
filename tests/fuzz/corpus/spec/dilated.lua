-- Taps that lie DILATION apart: a 3x3 kernel that sees 5x5, 7x7, 9x9, with as few weights.
--
-- DILATION: 1 | 2 | 3 | 4
-- >>> d, pad = DILATION, (DILATION, DILATION)
-- >>> windows = sliding_window_view(np.pad(x, ((0, 0), pad, pad)), (2 * d + 1,) * 2, axis=(1, 2))
-- >>> y = np.einsum("ihwrs,oirs->ohw", windows[..., ::d, ::d], w)

local dilation = convc.param("DILATION", 4)

return convc.conv {
    input = { 1, 16, 24, 24 },
    out_channels = 16,
    kernel_size = 3,
    dilation = dilation,
    padding = dilation,
}
