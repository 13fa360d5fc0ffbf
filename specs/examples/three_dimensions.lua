-- Five values in `input` make it 3-D: N, C, D, H, W.

return convc.conv {
    input = { 1, 8, 6, 12, 12 },
    out_channels = 16,
    kernel_size = { 3, 3, 3 },
    stride = { 1, 2, 2 },
    padding = "same",
}
