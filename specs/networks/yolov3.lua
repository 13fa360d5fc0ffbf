-- YOLOv3: Redmon, Farhadi, "YOLOv3: an incremental improvement", 2018, on Darknet-53 (table 1), as
-- the authors' yolov3.cfg for COCO has it: 75 convolutions. At 416x416 the authors' page gives
-- 65.86 Bn operations, two a product. CLASSES=20 is VOC.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("H", 416), convc.param("W", 416) } }
local leaky = { "leaky_relu", 0.1 }
local anchors = 3 * (5 + convc.param("CLASSES", 80))

local function conv(name, out, kernel, stride, residual)
    n.conv(name, { out_channels = out, kernel_size = kernel, stride = stride or 1,
                   padding = kernel // 2, residual = residual, activation = leaky })
end

-- In the network the shortcut is added behind the activation.
local function stage(name, width, blocks)
    conv(name .. ".down", width, 3, 2)
    for i = 1, blocks do
        conv(name .. "." .. i .. ".conv1", width // 2, 1)
        conv(name .. "." .. i .. ".conv2", width, 3)
    end
    return n.mark()
end

-- 1x1 and 3x3 take turns; what goes on to the next finer picture branches off before the last 3x3.
local function detector(name, width)
    for i = 1, 5 do
        conv(name .. ".conv" .. i, i % 2 == 1 and width or 2 * width, i % 2 == 1 and 1 or 3)
    end
    local branch = n.mark()
    conv(name .. ".conv6", 2 * width, 3)
    n.conv(name .. ".detect", { out_channels = anchors, kernel_size = 1 })
    branch()
end

conv("stem", 32, 3)
stage("dark1", 64, 1)
stage("dark2", 128, 2)
local at_8 = stage("dark3", 256, 8)
local at_16 = stage("dark4", 512, 8)
stage("dark5", 1024, 4)
detector("coarse", 512)
conv("middle.lateral", 256, 1)
at_16()
n.join(512 + 256)
detector("middle", 256)
conv("fine.lateral", 128, 1)
at_8()
n.join(256 + 128)
detector("fine", 128)
return n.layers
