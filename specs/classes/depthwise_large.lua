-- Depthwise beyond 3x3 and 5x5 on round sizes: large kernels, odd channels, odd sizes, several
-- outputs a channel.

local cases = require "cases"

return cases.list {
    { "convnext", 96, 56, 96, 7, groups = 96 },
    { "convnext", 192, 28, 192, 7, groups = 192 },
    { "convnext", 384, 14, 384, 7, groups = 384 },
    { "convnext", 768, 7, 768, 7, groups = 768 },
    { "mixnet", 120, 28, 120, 7, groups = 120, stride = 2 },
    { "mixnet", 60, 28, 60, 9, groups = 60 },
    { "mixnet", 40, 14, 40, 11, groups = 40 },
    { "convmixer", 256, 32, 256, 9, groups = 256 },
    { "replknet", 128, 56, 128, 31, groups = 128 },
    { "replknet", 512, 14, 512, 27, groups = 512 },
    { "ghostnet", 8, 112, 8, 3, groups = 8 },
    { "ghostnet", 36, 56, 36, 3, groups = 36 },
    { "ghostnet", 100, 14, 100, 3, groups = 100 },
    { "shufflenet_v2", 58, 28, 58, 3, groups = 58 },
    { "nasnet", 44, 83, 44, 5, groups = 44, stride = 2 },
    { "nasnet", 11, 165, 11, 7, groups = 11, stride = 2 },
    { "odd", 17, 13, 17, 3, groups = 17 },
    { "odd", 13, 31, 13, 5, groups = 13 },
    { "odd", 1, 224, 1, 3 },
    { "odd", 3, 224, 3, 3, groups = 3 },
    { "odd", 67, 9, 67, 3, groups = 67, stride = 2 },
    { "multiplier", 32, 56, 64, 3, groups = 32 },
    { "multiplier", 16, 28, 48, 3, groups = 16 },
    { "multiplier", 3, 112, 24, 3, groups = 3, stride = 2 },
    { "tiny", 1152, 7, 1152, 5, groups = 1152 },
    { "tiny", 512, 4, 512, 3, groups = 512 },
    { "tiny", 1024, 2, 1024, 3, groups = 1024 },
    { "cvt", 64, 56, 64, 3, groups = 64, stride = 2 },
    { "asymmetric", 64, 35, 64, { 1, 11 }, groups = 64 },
    { "asymmetric", 64, 35, 64, { 11, 1 }, groups = 64 },
}
