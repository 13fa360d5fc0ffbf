-- R3D-18: Tran et al., "A closer look at spatiotemporal convolutions for action recognition", 2017,
-- table 1. 3-D: T frames of H x W. 20 convolutions; the paper's clips, T=16, take 40.7 GMAC, the 8
-- frames of the default half of that.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("T", 8), convc.param("H", 112),
                                           convc.param("W", 112) } }

-- Two 3x3x3; the shortcut is added before the last activation.
local function basic_block(name, out, stride)
    local back = n.mark()
    if stride ~= 1 then
        n.conv(name .. ".downsample", { out_channels = out, kernel_size = 1, stride = stride })
        back()
    end
    n.conv(name .. ".conv1",
           { out_channels = out, kernel_size = 3, stride = stride, padding = 1,
             activation = "relu" })
    n.conv(name .. ".conv2",
           { out_channels = out, kernel_size = 3, padding = 1, residual = true,
             activation = "relu" })
end

n.conv("stem",
       { out_channels = 64, kernel_size = { 3, 7, 7 }, stride = { 1, 2, 2 }, padding = { 1, 3, 3 },
         activation = "relu" })
for stage, out in ipairs { 64, 128, 256, 512 } do
    basic_block("layer" .. stage .. ".0", out, stage == 1 and 1 or 2)
    basic_block("layer" .. stage .. ".1", out, 1)
end
return n.layers
