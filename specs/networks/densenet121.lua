-- DenseNet-121: Huang, Liu, van der Maaten, Weinberger, "Densely connected convolutional networks",
-- 2016, table 1, growth 32. 120 convolutions; torchvision counts 2.834 GMAC. Normalisation and
-- activation stand before a convolution: only those between the two of a layer fold into one.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }
local growth = 32

n.conv("conv0", { out_channels = 64, kernel_size = 7, stride = 2, padding = 3,
                  activation = "relu" })
n.pool { kernel_size = 3, stride = 2, padding = 1 }
for block, layers in ipairs { 6, 12, 24, 16 } do
    for i = 1, layers do
        local name, channels = "block" .. block .. "." .. i, n.channels()
        n.conv(name .. ".conv1",
               { out_channels = 4 * growth, kernel_size = 1, activation = "relu" })
        n.conv(name .. ".conv2",
               { out_channels = growth, kernel_size = 3, padding = 1, bias = false })
        n.join(channels + growth)
    end
    if block < 4 then
        n.conv("transition" .. block,
               { out_channels = n.channels() // 2, kernel_size = 1, bias = false })
        n.pool { kernel_size = 2, stride = 2 }
    end
end
return n.layers
