-- Three values in `input` make it 1-D: N, C, W. Causal: all padding at the beginning, so that no
-- output sees what comes after it.
--
-- >>> windows = sliding_window_view(np.pad(x, ((0, 0), (0, 0), (16, 0))), 17, 2)
-- >>> y = np.einsum("nils,ois->nol", windows[..., ::8], w)

return convc.conv {
    input = { 2, 16, 200 },
    out_channels = 32,
    kernel_size = 3,
    dilation = 8,
    padding = { { 16, 0 } },
}
