-- YOLOv2: Redmon, Farhadi, "YOLO9000: better, faster, stronger", 2016, section 2 and table 6, as
-- the authors' yolov2.cfg for COCO has it: 23 convolutions. 14.73 GMAC at 416x416; at H=608 W=608
-- the authors' page gives 62.94 Bn operations, two a product. CLASSES=20 is VOC.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("H", 416), convc.param("W", 416) } }
local leaky = { "leaky_relu", 0.1 }
local count = 0

local function conv(out, kernel)
    count = count + 1
    n.conv("conv" .. count,
           { out_channels = out, kernel_size = kernel, padding = kernel // 2, activation = leaky })
end

-- Widths of Darknet-19; 3x3 and 1x1 take turns.
local fine
for stage, widths in ipairs { { 32 }, { 64 }, { 128, 64, 128 }, { 256, 128, 256 },
                              { 512, 256, 512, 256, 512 }, { 1024, 512, 1024, 512, 1024 } } do
    for i, width in ipairs(widths) do conv(width, i % 2 == 1 and 3 or 1) end
    if stage == 5 then fine = n.mark() end
    if stage < 6 then n.pool { kernel_size = 2, stride = 2 } end
end
conv(1024, 3)
conv(1024, 3)
local coarse = n.mark()
fine()
n.conv("passthrough", { out_channels = 64, kernel_size = 1, activation = leaky })
coarse()
n.join(1024 + 4 * 64) -- 2x2 pixels of the finer picture become channels
n.conv("head", { out_channels = 1024, kernel_size = 3, padding = 1, activation = leaky })
n.conv("detect", { out_channels = 5 * (5 + convc.param("CLASSES", 80)), kernel_size = 1 })
return n.layers
