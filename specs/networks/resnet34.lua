-- ResNet-34: He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2015, table 1.
-- 36 convolutions, those of the shortcuts included; torchvision counts 3.664 GMAC.

local net, resnet = require "net", require "resnet"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }

resnet.stem(n)
resnet.basic_stages(n, { 3, 4, 6, 3 })
return n.layers
