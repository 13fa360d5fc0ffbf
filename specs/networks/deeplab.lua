-- DeepLab v3 on ResNet-50: Chen, Papandreou, Schroff, Adam, "Rethinking atrous convolution for
-- semantic image segmentation", 2017. The output is a 16th of the input: the last stage keeps its
-- size and dilates instead, by the multi-grid 1, 2, 4 times 2. Then the pyramid of rates 6, 12, 18.
-- The paper's crops are H=513 W=513.

local net, resnet = require "net", require "resnet"

local n = net.new { channels = 3, size = { convc.param("H", 321), convc.param("W", 321) } }
local classes = convc.param("CLASSES", 21)

resnet.stem(n)
resnet.stage(n, "layer1", { blocks = 3, width = 64, out = 256, stride = 1 })
resnet.stage(n, "layer2", { blocks = 4, width = 128, out = 512, stride = 2 })
resnet.stage(n, "layer3", { blocks = 6, width = 256, out = 1024, stride = 2 })
for i, grid in ipairs { 1, 2, 4 } do
    resnet.bottleneck(n, "layer4." .. i - 1,
                      { width = 512, out = 2048, stride = 1, dilation = 2 * grid, groups = 1 })
end

local features = n.mark()
n.conv("aspp.1x1", { out_channels = 256, kernel_size = 1, activation = "relu" })
for _, rate in ipairs { 6, 12, 18 } do
    features()
    n.conv("aspp.rate" .. rate,
           { out_channels = 256, kernel_size = 3, dilation = rate, padding = rate,
             activation = "relu" })
end
features()
n.pool_all()
n.conv("aspp.pooled", { out_channels = 256, kernel_size = 1, activation = "relu" })
features()
n.join(5 * 256) -- the five side by side, the last one spread over the picture
n.conv("aspp.project", { out_channels = 256, kernel_size = 1, activation = "relu" })
n.conv("head.conv", { out_channels = 256, kernel_size = 3, padding = 1, activation = "relu" })
n.conv("head.classes", { out_channels = classes, kernel_size = 1 })
return n.layers
