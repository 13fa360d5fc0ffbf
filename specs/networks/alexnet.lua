-- AlexNet: Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep convolutional neural
-- networks", 2012, section 3.5, whose two GPUs are 2 groups. 5 convolutions; with the fully
-- connected layers 0.724 GMAC, as usually quoted. ONE_TOWER=1 is the later version on one GPU
-- (Krizhevsky, "One weird trick", 2014), for which torchvision counts 0.714.

local net = require "net"

local one_tower = convc.param("ONE_TOWER", 0) == 1
local size = one_tower and 224 or 227
local n = net.new { channels = 3, size = { convc.param("H", size), convc.param("W", size) } }
local widths = one_tower and { 64, 192, 384, 256, 256 } or { 96, 256, 384, 384, 256 }
local split = one_tower and 1 or 2

local function conv(i, kernel, groups, stride, padding)
    n.conv("conv" .. i, { out_channels = widths[i], kernel_size = kernel, stride = stride or 1,
                          padding = padding or kernel // 2, groups = groups, activation = "relu" })
end

conv(1, 11, 1, 4, one_tower and 2 or 0)
n.pool { kernel_size = 3, stride = 2 }
conv(2, 5, split)
n.pool { kernel_size = 3, stride = 2 }
conv(3, 3, 1)
conv(4, 3, split)
conv(5, 3, split)
return n.layers
