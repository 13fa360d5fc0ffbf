-- 1x1: expanding, narrowing, strided, with few channels, on odd sizes.

local cases = require "cases"

return cases.list {
    { "resnet", 64, 56, 256, 1 },
    { "resnet", 256, 56, 512, 1, stride = 2 },
    { "resnet", 1024, 14, 2048, 1, stride = 2 },
    { "resnet", 512, 28, 128, 1 },
    { "resnet", 2048, 7, 512, 1 },
    { "mobilenet_v2", 16, 112, 96, 1 },
    { "mobilenet_v2", 144, 56, 24, 1 },
    { "mobilenet_v2", 576, 14, 96, 1 },
    { "mobilenet_v2", 960, 7, 160, 1 },
    { "mobilenet_v3", 88, 28, 24, 1 },
    { "efficientnet", 32, 112, 16, 1 },
    { "efficientnet", 40, 28, 240, 1 },
    { "efficientnet", 1152, 7, 192, 1 },
    { "shufflenet_v2", 58, 28, 58, 1 },
    { "shufflenet_v2", 116, 14, 116, 1 },
    { "densenet", 992, 14, 128, 1 },
    { "densenet", 544, 7, 128, 1 },
    { "inception", 768, 17, 160, 1 },
    { "convnext", 96, 56, 384, 1, activation = "gelu" },
    { "convnext", 3072, 7, 768, 1 },
    { "fpn", 2048, 25, 256, 1 },
    { "shufflenet_groups", 240, 28, 240, 1, groups = 3 },
    { "shufflenet_groups", 272, 28, 272, 1, groups = 4 },
    { "unet", 64, 96, 2, 1 },
    { "odd", 45, 19, 90, 1 },
    { "stride", 96, 57, 96, 1, stride = 2 },
    { "stride", 33, 31, 70, 1, stride = 3 },
}
