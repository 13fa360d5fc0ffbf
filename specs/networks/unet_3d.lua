-- 3D U-Net: Cicek, Abdulkadir, Lienkamp, Brox, Ronneberger, "3D U-Net: learning dense volumetric
-- segmentation from sparse annotation", 2016, figure 2: nothing is padded, the paper's tiles are
-- D=116 H=132 W=132. 18 convolutions with the paper's 19 069 955 parameters. An up-convolution
-- (2x2x2, stride 2, transposed) is computed as the 1x1x1 to eight times the channels that it is.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("D", 92), convc.param("H", 92),
                                           convc.param("W", 92) } }

local function conv(name, out)
    n.conv(name, { out_channels = out, kernel_size = 3, activation = "relu" })
end

for level, width in ipairs { 64, 128, 256, 512 } do
    conv("down" .. level .. ".conv1", width // 2)
    conv("down" .. level .. ".conv2", width)
    if level < 4 then n.pool { kernel_size = 2, stride = 2 } end
end
for level, width in ipairs { 256, 128, 64 } do
    local name, below = "up" .. 4 - level, n.channels()
    n.conv(name .. ".upconv", { out_channels = 8 * below, kernel_size = 1 })
    n.grow(2)
    n.join(below + width) -- beside it the crop of the same level, on the way down
    conv(name .. ".conv1", width)
    conv(name .. ".conv2", width)
end
n.conv("classes", { out_channels = 3, kernel_size = 1 })
return n.layers
