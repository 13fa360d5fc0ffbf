-- Two layers of a small network: what the second takes is what the first gives.
return {
    convc.conv {
        name = "features",
        input = { 1, 1, 64, 96 },
        out_channels = 16,
        kernel_size = 3,
        stride = 2,
        padding = 1,
        bias = true,
        activation = "relu",
    },
    convc.conv {
        name = "scores",
        input = { 1, 16, 32, 48 },
        out_channels = 4,
        kernel_size = 3,
        padding = 1,
        bias = true,
    },
}
