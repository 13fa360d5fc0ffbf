-- Taps that lie `dilation` apart: a 3x3 kernel that sees 9x9, with as few weights.

return convc.conv {
    input = { 1, 16, 24, 24 },
    out_channels = 16,
    kernel_size = 3,
    dilation = 4,
    padding = 4,
}
