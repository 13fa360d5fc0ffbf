-- Pictures of 1x1 to 4x4, mostly of many channels: weights are read once for few pixels.

local cases = require "cases"

local rows = {
    { "ssd", 256, 3, 128, 1 },
    { "ssd", 128, 3, 256, 3, padding = 0 },
    { "ssd", 256, 2, 486, 3 },
    { "fpn", 256, 4, 256, 1 },
    { "cifar", 2048, 4, 512, 1 },
    { "cifar", 512, 4, 512, 3, stride = 2 },
    { "pyramid_pooling", 2048, 2, 512, 1 },
    { "pyramid_pooling", 2048, 3, 512, 1 },
    { "discriminator", 512, 4, 1, 4, padding = 0 },
    { "style", 512, 4, 513, 3 },
    { "odd", 100, 3, 50, 3 },
    { "odd", 33, 2, 77, 3 },
    { "odd", 7, 1, 9, 3 },
    { "fc", 256, 4, 1024, 4, padding = 0 },
    { "groups", 512, 4, 512, 3, groups = 32 },
    { "row", 256, { 1, 4 }, 256, { 1, 3 } },
    { "column", 256, { 4, 1 }, 256, { 3, 1 } },
}
for size = 1, 4 do
    for _, pair in ipairs { { 256, 256 }, { 512, 512 }, { 1024, 128 } } do
        rows[#rows + 1] = { "dense", pair[1], size, pair[2], 3 }
    end
end
return cases.list(rows)
