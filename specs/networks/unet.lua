-- U-Net: Ronneberger, Fischer, Brox, "U-Net: convolutional networks for biomedical image
-- segmentation", 2015, figure 1: nothing is padded, the paper's tiles of H=572 W=572 give 388x388.
-- 23 convolutions. An up-convolution (2x2, stride 2, transposed) is computed as the 1x1 to four
-- times the channels that it is, whose output is shuffled.

local net = require "net"

local n = net.new { channels = 1, size = { convc.param("H", 252), convc.param("W", 252) } }
local widths = { 64, 128, 256, 512, 1024 }

local function twice(name, out)
    for i = 1, 2 do
        n.conv(name .. ".conv" .. i, { out_channels = out, kernel_size = 3, activation = "relu" })
    end
end

for level, width in ipairs(widths) do
    twice("down" .. level, width)
    if level < #widths then n.pool { kernel_size = 2, stride = 2 } end
end
for level = #widths - 1, 1, -1 do
    n.conv("up" .. level .. ".upconv", { out_channels = 4 * widths[level], kernel_size = 1 })
    n.grow(2)
    n.join(2 * widths[level]) -- beside it the crop of the same level, on the way down
    twice("up" .. level, widths[level])
end
n.conv("classes", { out_channels = convc.param("CLASSES", 2), kernel_size = 1 })
return n.layers
