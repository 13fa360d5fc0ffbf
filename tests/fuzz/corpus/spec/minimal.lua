-- The least that a spec says: input (N, C, H, W), output channels, kernel. Everything else has its
-- default: stride 1, no padding, no bias, no activation, channels last, f32.
--
-- >>> y = np.stack([signal.correlate(x, k, "valid")[0] for k in w])

return convc.conv {
    input = { 1, 16, 20, 20 },
    out_channels = 32,
    kernel_size = 3,
}
