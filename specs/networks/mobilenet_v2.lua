-- MobileNet-v2: Sandler, Howard, Zhu, Zhmoginov, Chen, "Inverted residuals and linear bottlenecks",
-- 2018, table 2. 52 convolutions, 0.30 GMAC.

local net, mobile = require "net", require "mobile"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }
local relu6 = { "clamp", 0, 6 }

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
        mobile.inverted_residual(n, "block" .. i .. "." .. k - 1, {
            wide = n.channels() * row[1],
            out = row[2],
            kernel = 3,
            stride = k == 1 and row[4] or 1,
            activation = relu6,
        })
    end
end
n.conv("conv_last", { out_channels = 1280, kernel_size = 1, activation = relu6 })
return n.layers
