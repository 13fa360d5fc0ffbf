-- SSD300: Liu et al., "SSD: single shot multibox detector", 2015, figure 2, on VGG-16. 35
-- convolutions; for COCO's 91 classes torchvision counts 34.858 GMAC. CLASSES=21 is VOC.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("H", 300), convc.param("W", 300) } }
local classes = convc.param("CLASSES", 91)

local function conv(name, out, kernel, options)
    options = options or {}
    n.conv(name, { out_channels = out, kernel_size = kernel, stride = options.stride or 1,
                   padding = options.padding or kernel // 2, dilation = options.dilation or 1,
                   activation = "relu" })
end

-- The two convolutions that read classes and boxes off a picture, of which the network goes on.
local heads = 0
local function detect(anchors)
    local back = n.mark()
    heads = heads + 1
    n.conv("classes" .. heads,
           { out_channels = anchors * classes, kernel_size = 3, padding = 1 })
    back()
    n.conv("boxes" .. heads, { out_channels = anchors * 4, kernel_size = 3, padding = 1 })
    back()
end

for stage, row in ipairs { { 64, 2 }, { 128, 2 }, { 256, 3 }, { 512, 3 }, { 512, 3 } } do
    for i = 1, row[2] do conv("conv" .. stage .. "_" .. i, row[1], 3) end
    if stage == 4 then detect(4) end
    if stage < 5 then n.pool { kernel_size = 2, stride = 2, ceil = true } end
end
n.pool { kernel_size = 3, stride = 1, padding = 1 }
conv("conv6", 1024, 3, { dilation = 6, padding = 6 })
conv("conv7", 1024, 1)
detect(6)
conv("conv8_1", 256, 1)
conv("conv8_2", 512, 3, { stride = 2 })
detect(6)
conv("conv9_1", 128, 1)
conv("conv9_2", 256, 3, { stride = 2 })
detect(6)
conv("conv10_1", 128, 1)
conv("conv10_2", 256, 3, { padding = 0 })
detect(4)
conv("conv11_1", 128, 1)
conv("conv11_2", 256, 3, { padding = 0 })
detect(4)
return n.layers
