-- ResNet-50: He, Zhang, Ren, Sun, "Deep residual learning for image recognition", 2015, table 1.
-- 53 convolutions, 4.09 GMAC. The stride of a stage is that of its first 3x3, as everywhere today
-- ("v1.5"); V1=1 puts it into the 1x1 before, as the paper did (3.86 GMAC).

local net, resnet = require "net", require "resnet"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }
local v1 = convc.param("V1", 0) == 1

resnet.stem(n)
resnet.stage(n, "layer1", { blocks = 3, width = 64, out = 256, stride = 1, stride_first = v1 })
resnet.stage(n, "layer2", { blocks = 4, width = 128, out = 512, stride = 2, stride_first = v1 })
resnet.stage(n, "layer3", { blocks = 6, width = 256, out = 1024, stride = 2, stride_first = v1 })
resnet.stage(n, "layer4", { blocks = 3, width = 512, out = 2048, stride = 2, stride_first = v1 })
return n.layers
