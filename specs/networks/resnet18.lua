-- ResNet-18: He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2015, table 1.
-- 20 convolutions, those of the shortcuts included; torchvision counts 1.814 GMAC.

local net, resnet = require "net", require "resnet"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }

resnet.stem(n)
resnet.basic_stages(n, { 2, 2, 2, 2 })
return n.layers
