-- Depthwise 3x3 and 5x5, strides 1 and 2, over the sizes that mobile networks go through.

local cases = require "cases"

local rows = {}
for _, size in ipairs { { 32, 112 }, { 96, 112 }, { 144, 56 }, { 240, 28 }, { 480, 14 },
                        { 960, 7 } } do
    for _, kernel in ipairs { 3, 5 } do
        for stride = 1, 2 do
            rows[#rows + 1] = { "depthwise", size[1], size[2], size[1], kernel, stride = stride,
                                groups = size[1] }
        end
    end
end
return cases.list(rows)
