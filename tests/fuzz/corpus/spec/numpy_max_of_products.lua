-- A window operation that is no sum: the largest of the products. Zeros outside of the picture are
-- values like any others.
--
-- >>> windows = sliding_window_view(np.pad(x, 1), (3, 3))
-- >>> y = (windows * w[0, 0]).max(axis=(2, 3))

return convc.conv {
    input = { 1, 1, 25, 31 },
    out_channels = 1,
    kernel_size = 3,
    padding = 1,
    reduce = "max",
}
