-- Grouped 3x3 in the sizes of ResNeXt: 4, 8, 16 and more channels a group. WIDTH=4 has those of 4
-- channels only, STRIDE=1 those of stride 1.

local cases = require "cases"

local only_width, only_stride = convc.param("WIDTH", 0), convc.param("STRIDE", 0)
local rows = {}
--                       a group  channels  size
for _, row in ipairs { {      2,       64,   56 },
                       {      3,       96,   27 },
                       {      4,      128,   56 },
                       {      4,       64,   28 },
                       {      4,      256,   14 },
                       {      4,       32,  112 },
                       {      5,       80,   19 },
                       {      8,      256,   28 },
                       {      8,       64,   56 },
                       {      8,      208,   14 },
                       {      8,      128,    7 },
                       {     16,      512,   14 },
                       {     16,      144,   28 },
                       {     16,       64,   56 },
                       {     16,      784,    7 },
                       {     24,      120,   28 },
                       {     24,      336,   14 },
                       {     32,     1024,    7 },
                       {     32,       64,   56 },
                       {     56,      448,   28 },
                       {     64,      512,   14 } } do
    local width, channels, size = table.unpack(row)
    for stride = 1, 2 do
        if (only_width == 0 or only_width == width) and
           (only_stride == 0 or only_stride == stride) then
            rows[#rows + 1] = { "of" .. width, channels, size, channels, 3, stride = stride,
                                groups = channels // width, activation = "relu" }
        end
    end
end
return cases.list(rows)
