-- Channels first, in and out, as most frameworks hand tensors over. -D LAYOUT=nchw does the same to
-- any other class or network.

local cases = require "cases"

return cases.list({
    { "resnet", 64, 56, 64, 1 },
    { "resnet", 64, 56, 64, 3 },
    { "resnet", 128, 28, 128, 3 },
    { "resnet", 256, 14, 256, 3 },
    { "resnet", 512, 7, 512, 3 },
    { "resnet", 256, 28, 512, 1 },
    { "resnet", 512, 14, 256, 1, stride = 2 },
    { "resnet", 3, 224, 64, 7, stride = 2 },
    { "vgg", 128, 56, 256, 3 },
    { "vgg", 64, 224, 64, 3 },
    { "mobilenet", 32, 112, 32, 3, groups = 32 },
    { "mobilenet", 144, 56, 144, 3, groups = 144, stride = 2 },
    { "mobilenet", 512, 14, 512, 3, groups = 512 },
    { "mobilenet", 960, 7, 960, 3, groups = 960 },
    { "mobilenet", 24, 56, 144, 1 },
    { "efficientnet", 240, 28, 240, 5, groups = 240 },
    { "efficientnet", 1152, 7, 1152, 5, groups = 1152 },
    { "resnext", 128, 56, 128, 3, groups = 32 },
    { "resnext", 512, 14, 512, 3, groups = 32, stride = 2 },
    { "inception", 192, 17, 192, { 1, 7 } },
    { "deeplab", 256, 33, 256, 3, dilation = 4 },
    { "wavenet", 64, { 2000 }, 64, { 3 }, dilation = 4 },
    { "r3d", 64, { 4, 28, 28 }, 64, 3 },
    { "squeeze", 96, 1, 24, 1 },
    { "odd", 19, 13, 33, 3 },
    { "odd", 37, 31, 41, 1 },
}, "nchw")
