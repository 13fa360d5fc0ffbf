-- MobileNet: Howard et al., "MobileNets: efficient convolutional neural networks for mobile vision
-- applications", 2017, table 1. 27 convolutions; 0.569 GMAC in the paper's table 4, with the fully
-- connected layer. Pads as TensorFlow, where it comes from.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }

n.conv("conv0", { out_channels = 32, kernel_size = 3, stride = 2, padding = "same",
                  activation = "relu" })
for i, row in ipairs { { 64, 1 }, { 128, 2 }, { 128, 1 }, { 256, 2 }, { 256, 1 }, { 512, 2 },
                       { 512, 1 }, { 512, 1 }, { 512, 1 }, { 512, 1 }, { 512, 1 }, { 1024, 2 },
                       { 1024, 1 } } do
    n.conv("conv" .. i .. ".depthwise",
           { out_channels = n.channels(), groups = n.channels(), kernel_size = 3, stride = row[2],
             padding = "same", activation = "relu" })
    n.conv("conv" .. i .. ".pointwise",
           { out_channels = row[1], kernel_size = 1, activation = "relu" })
end
return n.layers
