-- The end of a residual block: a tensor of the output's shape is added before the activation.
--
-- >>> y = np.maximum(np.tensordot(w[:, :, 0, 0], x, 1) + b[:, None, None] + residual, 0)

return convc.conv {
    input = { 1, 16, 14, 14 },
    out_channels = 64,
    kernel_size = 1,
    bias = true,
    residual = true,
    activation = "relu",
}
