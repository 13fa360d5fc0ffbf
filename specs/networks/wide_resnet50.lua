-- Wide ResNet-50-2: Zagoruyko, Komodakis, "Wide residual networks", 2016: ResNet-50 whose 3x3 are
-- twice as wide. 53 convolutions; torchvision counts 11.398 GMAC.

local net, resnet = require "net", require "resnet"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }

resnet.stem(n)
resnet.stage(n, "layer1", { blocks = 3, width = 128, out = 256, stride = 1 })
resnet.stage(n, "layer2", { blocks = 4, width = 256, out = 512, stride = 2 })
resnet.stage(n, "layer3", { blocks = 6, width = 512, out = 1024, stride = 2 })
resnet.stage(n, "layer4", { blocks = 3, width = 1024, out = 2048, stride = 2 })
return n.layers
