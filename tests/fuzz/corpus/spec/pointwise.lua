-- A 1x1 kernel: a matrix product over the channels of every pixel.
--
-- >>> y = np.tensordot(w[:, :, 0, 0], x, 1)

return convc.conv {
    input = { 1, 48, 14, 14 },
    out_channels = 96,
    kernel_size = 1,
}
