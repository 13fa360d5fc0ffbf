-- GoogLeNet: Szegedy et al., "Going deeper with convolutions", 2014, table 1, as the paper has it,
-- with 5x5 where torchvision has 3x3, and without the auxiliary heads. 57 convolutions. The table's
-- operations sum to 1.502 GMAC; its first row says 34 M where 64 filters of 7x7 take 118 M.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }

local function conv(name, out, kernel, stride)
    n.conv(name, { out_channels = out, kernel_size = kernel, stride = stride or 1,
                   padding = kernel // 2, activation = "relu" })
end

local function inception(row)
    local name, back = "inception" .. row[1], n.mark()
    conv(name .. ".1x1", row[2], 1)
    back()
    conv(name .. ".3x3_reduce", row[3], 1)
    conv(name .. ".3x3", row[4], 3)
    back()
    conv(name .. ".5x5_reduce", row[5], 1)
    conv(name .. ".5x5", row[6], 5)
    back()
    conv(name .. ".pool_proj", row[7], 1)
    n.join(row[2] + row[4] + row[6] + row[7])
end

local function halve()
    n.pool { kernel_size = 3, stride = 2, ceil = true }
end

conv("conv1", 64, 7, 2)
halve()
conv("conv2_reduce", 64, 1)
conv("conv2", 192, 3)
halve()
--               1x1  3x3 reduce, 3x3  5x5 reduce, 5x5  pool
inception { "3a",  64,       96, 128,         16,  32,   32 }
inception { "3b", 128,      128, 192,         32,  96,   64 }
halve()
inception { "4a", 192,       96, 208,         16,  48,   64 }
inception { "4b", 160,      112, 224,         24,  64,   64 }
inception { "4c", 128,      128, 256,         24,  64,   64 }
inception { "4d", 112,      144, 288,         32,  64,   64 }
inception { "4e", 256,      160, 320,         32, 128,  128 }
halve()
inception { "5a", 256,      160, 320,         32, 128,  128 }
inception { "5b", 384,      192, 384,         48, 128,  128 }
return n.layers
