-- EfficientNet-B0: Tan, Le, "EfficientNet: rethinking model scaling for convolutional neural
-- networks", 2019, table 1, with squeeze and excitation by a quarter of a block's input channels.
-- 81 convolutions; 0.39 GMAC in the paper, 0.386 by torchvision's count.

local net, efficientnet = require "net", require "efficientnet"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }

efficientnet.b0(n)
n.conv("head", { out_channels = 1280, kernel_size = 1, activation = "silu" })
return n.layers
