-- Depthwise with holes: segmentation networks that keep the size of the picture.

local cases = require "cases"

return cases.list {
    { "deeplab", 256, 33, 256, 3, groups = 256, dilation = 2 },
    { "deeplab", 256, 33, 256, 3, groups = 256, dilation = 4 },
    { "deeplab_mobile", 576, 33, 576, 3, groups = 576, dilation = 2 },
    { "deeplab_mobile", 960, 33, 960, 3, groups = 960, dilation = 2 },
    { "deeplab_xception", 728, 33, 728, 3, groups = 728, dilation = 2 },
    { "deeplab_xception", 1536, 33, 1536, 3, groups = 1536, dilation = 4 },
    { "lraspp", 672, 32, 672, 5, groups = 672, dilation = 2 },
    { "van", 64, 56, 64, 7, groups = 64, dilation = 3 },
    { "van", 320, 14, 320, 7, groups = 320, dilation = 3 },
    { "espnet", 25, 64, 25, 3, groups = 25, dilation = 8 },
    { "aspp", 2048, 33, 2048, 3, groups = 2048, dilation = 6 },
    { "odd", 40, 65, 40, 3, groups = 40, dilation = { 2, 3 } },
}
