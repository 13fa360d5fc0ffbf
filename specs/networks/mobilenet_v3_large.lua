-- MobileNet-v3 large: Howard et al., "Searching for MobileNetV3", 2019, table 1, whose last two
-- layers are 1x1 convolutions on one pixel. 64 convolutions; 0.219 GMAC in the paper, 0.217 by
-- torchvision's count. The gate, a hard sigmoid, is left to whoever multiplies.

local net, mobile = require "net", require "mobile"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }

-- The multiple of 8 next to a quarter, and not less than nine tenths of it.
local function quarter(wide)
    local rounded = (wide + 16) // 32 * 8
    return rounded < 0.9 * wide / 4 and rounded + 8 or rounded
end

n.conv("conv0", { out_channels = 16, kernel_size = 3, stride = 2, padding = 1,
                  activation = "hardswish" })
--                    kernel wide  out  squeeze activation  stride
local table_1 = {     { 3,    16,  16,  false,  "relu",      1 },
                      { 3,    64,  24,  false,  "relu",      2 },
                      { 3,    72,  24,  false,  "relu",      1 },
                      { 5,    72,  40,  true,   "relu",      2 },
                      { 5,   120,  40,  true,   "relu",      1 },
                      { 5,   120,  40,  true,   "relu",      1 },
                      { 3,   240,  80,  false,  "hardswish", 2 },
                      { 3,   200,  80,  false,  "hardswish", 1 },
                      { 3,   184,  80,  false,  "hardswish", 1 },
                      { 3,   184,  80,  false,  "hardswish", 1 },
                      { 3,   480, 112,  true,   "hardswish", 1 },
                      { 3,   672, 112,  true,   "hardswish", 1 },
                      { 5,   672, 160,  true,   "hardswish", 2 },
                      { 5,   960, 160,  true,   "hardswish", 1 },
                      { 5,   960, 160,  true,   "hardswish", 1 } }
for i, row in ipairs(table_1) do
    mobile.inverted_residual(n, "block" .. i, {
        kernel = row[1],
        wide = row[2],
        out = row[3],
        squeeze = row[4] and quarter(row[2]) or nil,
        squeeze_activation = "relu",
        activation = row[5],
        stride = row[6],
    })
end
n.conv("conv16", { out_channels = 960, kernel_size = 1, activation = "hardswish" })
n.pool_all()
n.conv("conv17", { out_channels = 1280, kernel_size = 1, activation = "hardswish" })
n.conv("conv18", { out_channels = 1000, kernel_size = 1 })
return n.layers
