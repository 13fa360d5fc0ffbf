-- Dense with holes: DeepLab's pyramid, and networks that keep the size of the picture.

local cases = require "cases"

return cases.list {
    { "aspp", 2048, 33, 256, 3, dilation = 6 },
    { "aspp", 2048, 33, 256, 3, dilation = 12 },
    { "aspp", 2048, 33, 256, 3, dilation = 18 },
    { "aspp_mobile", 320, 33, 256, 3, dilation = 12 },
    { "deeplab", 512, 33, 512, 3, dilation = 2 },
    { "deeplab", 512, 33, 512, 3, dilation = 4 },
    { "deeplab", 512, 33, 512, 3, dilation = 8 },
    { "drn", 256, 28, 256, 3, dilation = 2 },
    { "drn", 512, 28, 512, 3, dilation = 4 },
    { "ssd_fc6", 512, 19, 1024, 3, dilation = 6 },
    { "csrnet", 512, 32, 512, 3, dilation = 2 },
    { "context", 21, 64, 21, 3, dilation = 4 },
    { "context", 21, 64, 21, 3, dilation = 16 },
    { "enet", 32, 64, 32, 3, dilation = 8 },
    { "rfb", 64, 38, 64, 3, dilation = 5 },
    { "odd", 30, 31, 30, 3, dilation = { 3, 1 } },
    { "stride", 64, 56, 128, 3, dilation = 2, stride = 2 },
    { "groups", 256, 33, 256, 3, dilation = 2, groups = 8 },
}
