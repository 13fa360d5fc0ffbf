-- VGG-19: Simonyan, Zisserman, "Very deep convolutional networks for large-scale image
-- recognition", 2014, table 1, column E. 16 convolutions; with the fully connected layers
-- torchvision counts 19.632 GMAC.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }

for stage, row in ipairs { { 64, 2 }, { 128, 2 }, { 256, 4 }, { 512, 4 }, { 512, 4 } } do
    for i = 1, row[2] do
        n.conv("conv" .. stage .. "_" .. i,
               { out_channels = row[1], kernel_size = 3, padding = 1, activation = "relu" })
    end
    n.pool { kernel_size = 2, stride = 2 }
end
return n.layers
