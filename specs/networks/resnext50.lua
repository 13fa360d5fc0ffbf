-- ResNeXt-50 32x4d: Xie, Girshick, Dollar, Tu, He, "Aggregated residual transformations for deep
-- neural networks", 2016, table 1: ResNet-50 with twice the width, in 32 groups. 4.23 GMAC.

local net, resnet = require "net", require "resnet"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }

resnet.stem(n)
resnet.stage(n, "layer1", { blocks = 3, width = 128, out = 256, stride = 1, groups = 32 })
resnet.stage(n, "layer2", { blocks = 4, width = 256, out = 512, stride = 2, groups = 32 })
resnet.stage(n, "layer3", { blocks = 6, width = 512, out = 1024, stride = 2, groups = 32 })
resnet.stage(n, "layer4", { blocks = 3, width = 1024, out = 2048, stride = 2, groups = 32 })
return n.layers
