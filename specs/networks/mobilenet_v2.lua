-- MobileNet-v2: Sandler, Howard, Zhu, Zhmoginov, Chen, "Inverted residuals and linear bottlenecks",
-- 2018, table 2. 52 convolutions, 0.30 GMAC.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }
local relu6 = { "clamp", 0, 6 }

-- 1x1 to `expand` times the channels, depthwise 3x3, linear 1x1; a shortcut where the shape stays.
local function inverted_residual(name, expand, out, stride)
    local channels = n.channels()
    local wide = channels * expand
    if expand ~= 1 then
        n.conv(name .. ".expand", { out_channels = wide, kernel_size = 1, activation = relu6 })
    end
    n.conv(name .. ".depthwise",
           { out_channels = wide, groups = wide, kernel_size = 3, stride = stride, padding = 1,
             activation = relu6 })
    n.conv(name .. ".project",
           { out_channels = out, kernel_size = 1, residual = stride == 1 and channels == out })
end

n.conv("conv1", { out_channels = 32, kernel_size = 3, stride = 2, padding = 1, activation = relu6 })
--                    expand  out  times  stride
local table_2 = {     { 1,     16,     1,      1 },
                      { 6,     24,     2,      2 },
                      { 6,     32,     3,      2 },
                      { 6,     64,     4,      2 },
                      { 6,     96,     3,      1 },
                      { 6,    160,     3,      2 },
                      { 6,    320,     1,      1 } }
for i, row in ipairs(table_2) do
    for k = 1, row[3] do
        inverted_residual("block" .. i .. "." .. k - 1, row[1], row[2], k == 1 and row[4] or 1)
    end
end
n.conv("conv_last", { out_channels = 1280, kernel_size = 1, activation = relu6 })
return n.layers
