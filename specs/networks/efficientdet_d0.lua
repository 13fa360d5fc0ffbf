-- EfficientDet-D0: Tan, Pang, Le, "EfficientDet: scalable and efficient object detection", 2019,
-- table 1, as the authors' implementation has it: EfficientNet-B0, three layers of BiFPN with 64
-- channels over P3..P7, and two heads of three layers that run over all five. The paper's table 2
-- gives 2.5 GMAC at 512x512.

local net, efficientnet = require "net", require "efficientnet"

local n = net.new { channels = 3, size = { convc.param("H", 512), convc.param("W", 512) } }
local width, anchors = 64, 9

-- Depthwise 3x3 without anything behind it, then 1x1.
local function separable(name, out, activation)
    n.conv(name .. ".depthwise",
           { out_channels = n.channels(), groups = n.channels(), kernel_size = 3, padding = "same",
             bias = false })
    n.conv(name .. ".pointwise", { out_channels = out, kernel_size = 1, activation = activation })
end

local marks = efficientnet.b0(n)
local p = { [3] = marks[3], [4] = marks[5], [5] = marks[7] }

-- What the first layer takes: P4 and P5 go into both of its directions, each by a 1x1 of its own.
for level = 3, 5 do
    p[level]()
    n.conv("lateral" .. level, { out_channels = width, kernel_size = 1 })
    if level > 3 then
        p[level]()
        n.conv("lateral" .. level .. ".again", { out_channels = width, kernel_size = 1 })
    end
    p[level] = n.mark()
end
marks[7]()
n.conv("lateral6", { out_channels = width, kernel_size = 1 })
for level = 6, 7 do
    n.pool { kernel_size = 3, stride = 2, padding = "same" }
    p[level] = n.mark()
end

for layer = 1, 3 do
    for _, level in ipairs { 6, 5, 4, 3 } do
        p[level]()
        separable("bifpn" .. layer .. ".down" .. level, width)
    end
    for _, level in ipairs { 4, 5, 6, 7 } do
        p[level]()
        separable("bifpn" .. layer .. ".up" .. level, width)
    end
end

local classes = convc.param("CLASSES", 90)
for _, head in ipairs { { "class", anchors * classes }, { "box", anchors * 4 } } do
    for level = 3, 7 do
        p[level]()
        for i = 1, 3 do
            separable(head[1] .. ".p" .. level .. "." .. i, width, "silu")
        end
        separable(head[1] .. ".p" .. level .. ".out", head[2])
    end
end
return n.layers
