-- SqueezeNet 1.1: Iandola et al., "SqueezeNet: AlexNet-level accuracy with 50x fewer parameters",
-- 2016, in the authors' revision of the architecture. 26 convolutions; torchvision counts 0.349
-- GMAC.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }

local function conv(name, out, kernel)
    n.conv(name, { out_channels = out, kernel_size = kernel, padding = kernel // 2,
                   activation = "relu" })
end

local function fire(i, narrow, wide)
    local name = "fire" .. i
    conv(name .. ".squeeze", narrow, 1)
    local squeezed = n.mark()
    conv(name .. ".expand1x1", wide, 1)
    squeezed()
    conv(name .. ".expand3x3", wide, 3)
    n.join(2 * wide)
end

local function halve()
    n.pool { kernel_size = 3, stride = 2, ceil = true }
end

n.conv("conv1", { out_channels = 64, kernel_size = 3, stride = 2, activation = "relu" })
halve()
fire(2, 16, 64)
fire(3, 16, 64)
halve()
fire(4, 32, 128)
fire(5, 32, 128)
halve()
fire(6, 48, 192)
fire(7, 48, 192)
fire(8, 64, 256)
fire(9, 64, 256)
conv("conv10", 1000, 1)
return n.layers
