-- ConvNeXt-T: Liu, Mao, Wu, Feichtenhofer, Darrell, Xie, "A ConvNet for the 2020s", 2022, table 9.
-- 58 convolutions, its linear layers over the channels counted as the 1x1 that they are; 4.5 GMAC
-- in the paper, 4.456 by torchvision's count.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }
local widths = { 96, 192, 384, 768 }

for stage, depth in ipairs { 3, 3, 9, 3 } do
    local width, patch = widths[stage], stage == 1 and 4 or 2
    n.conv(stage == 1 and "stem" or "downsample" .. stage,
           { out_channels = width, kernel_size = patch, stride = patch })
    for i = 1, depth do
        local name = "stage" .. stage .. "." .. i - 1
        n.conv(name .. ".depthwise",
               { out_channels = width, groups = width, kernel_size = 7, padding = 3 })
        n.conv(name .. ".widen", { out_channels = 4 * width, kernel_size = 1, activation = "gelu" })
        n.conv(name .. ".narrow", { out_channels = width, kernel_size = 1, residual = true })
    end
end
return n.layers
