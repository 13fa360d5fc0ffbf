-- 1x1 on one pixel, a matrix times a vector: squeeze and excitation, and fully connected layers.

local cases = require "cases"

return cases.list {
    { "efficientnet", 32, 1, 8, 1 },
    { "efficientnet", 96, 1, 4, 1 },
    { "efficientnet", 240, 1, 10, 1 },
    { "efficientnet", 10, 1, 240, 1 },
    { "efficientnet", 480, 1, 20, 1 },
    { "efficientnet", 1152, 1, 48, 1 },
    { "efficientnet", 48, 1, 1152, 1 },
    { "efficientnet_b7", 3840, 1, 160, 1 },
    { "efficientnet_b7", 160, 1, 3840, 1 },
    { "mobilenet_v3", 960, 1, 240, 1 },
    { "mobilenet_v3", 240, 1, 960, 1 },
    { "mobilenet_v3", 960, 1, 1280, 1 },
    { "senet", 2048, 1, 128, 1 },
    { "senet", 128, 1, 2048, 1 },
    { "senet", 256, 1, 16, 1 },
    { "senet", 16, 1, 256, 1 },
    { "regnet", 26, 1, 208, 1 },
    { "classes", 512, 1, 1000, 1 },
    { "classes", 1280, 1, 1000, 1 },
    { "classes", 2048, 1, 1000, 1 },
    { "fc", 4096, 1, 1000, 1 },
    { "deeplab", 2048, 1, 256, 1 },
    { "bert", 768, 1, 3072, 1 },
    { "odd", 1000, 1, 33, 1 },
    { "odd", 77, 1, 1001, 1 },
    { "one_out", 2048, 1, 1, 1 },
    { "one_in", 1, 1, 512, 1 },
}
