-- Odd channels: 13x13 with 19 to 24 channels in and 13 to 33 out, then what else no vector divides.

local cases = require "cases"

local rows = {
    { "detector", 1024, 13, 425, 1 },
    { "detector", 512, 26, 255, 1 },
    { "detector", 256, 38, 546, 3 },
    { "detector", 512, 19, 84, 3 },
    { "densenet_bc", 30, 32, 12, 3 },
    { "densenet_bc", 342, 8, 48, 1 },
    { "nasnet", 168, 42, 44, 1 },
    { "regnet", 104, 28, 26, 1 },
    { "openpose", 185, 46, 128, 7 },
    { "openpose", 128, 46, 19, 1 },
    { "mask_rcnn", 256, 28, 91, 1 },
    { "segmentation", 48, 65, 21, 1 },
    { "segmentation", 64, 97, 19, 3 },
    { "prime", 7, 31, 11, 3 },
    { "prime", 37, 23, 41, 3 },
    { "prime", 67, 11, 71, 3, stride = 2 },
    { "prime", 131, 5, 127, 3 },
    { "one_out", 64, 128, 1, 3 },
    { "one_out", 256, 32, 1, 1 },
    { "one_in", 1, 64, 17, 5 },
    { "two", 2, 100, 2, 3 },
    { "three_out", 64, 120, 3, 9 },
    { "past_vector", 64, 28, 65, 3 },
    { "past_vector", 65, 28, 64, 3 },
    { "past_vector", 31, 28, 33, 1 },
    { "long", 20, { 3, 200 }, 20, 3 },
    { "tall", 20, { 200, 3 }, 20, 3 },
}
for _, pair in ipairs { { 19, 13 }, { 19, 20 }, { 20, 17 }, { 21, 21 }, { 22, 24 }, { 23, 29 },
                        { 24, 31 }, { 24, 33 }, { 64, 33 } } do
    rows[#rows + 1] = { "grid", pair[1], 13, pair[2], 3 }
end
for _, pair in ipairs { { 19, 33 }, { 20, 13 }, { 21, 19 }, { 22, 33 }, { 24, 24 } } do
    rows[#rows + 1] = { "grid", pair[1], 13, pair[2], 1 }
end
for _, pair in ipairs { { 20, 20 }, { 23, 33 } } do
    rows[#rows + 1] = { "grid", pair[1], 13, pair[2], 5 }
    rows[#rows + 1] = { "grid", pair[1], 13, pair[2], 3, stride = 2 }
end
return cases.list(rows)
