-- VGG-16: Simonyan, Zisserman, "Very deep convolutional networks for large-scale image
-- recognition", 2014, table 1, column D. 13 convolutions, 15.35 GMAC.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }

for stage, widths in ipairs { { 64, 64 }, { 128, 128 }, { 256, 256, 256 }, { 512, 512, 512 },
                              { 512, 512, 512 } } do
    for i, width in ipairs(widths) do
        n.conv("conv" .. stage .. "_" .. i,
               { out_channels = width, kernel_size = 3, padding = 1, activation = "relu" })
    end
    n.pool { kernel_size = 2, stride = 2 }
end
return n.layers
