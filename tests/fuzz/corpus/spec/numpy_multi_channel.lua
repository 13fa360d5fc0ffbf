-- What deep learning calls a convolution, in NumPy: windows of all channels, one einsum, a bias.
--
-- >>> windows = sliding_window_view(np.pad(x, ((0, 0), (1, 1), (1, 1))),
-- ...                                                    (3, 3), axis=(1, 2))
-- >>> y = np.einsum("ihwrs,oirs->ohw", windows[:, ::2, ::2], w) + b[:, None, None]

return convc.conv {
    input = { 1, 5, 17, 19 },
    out_channels = 12,
    kernel_size = 3,
    stride = 2,
    padding = 1,
    bias = true,
}
