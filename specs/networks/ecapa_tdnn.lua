-- ECAPA-TDNN: Desplanques, Thienpondt, Demuynck, "ECAPA-TDNN: emphasized channel attention,
-- propagation and aggregation in TDNN based speaker verification", 2020, figure 2. 1-D over T
-- frames of 80 features. 38 convolutions, the last layer counted as one; 14.7 million parameters
-- with C=1024, 6.2 with C=512.

local net = require "net"

local n = net.new { channels = 80, size = { convc.param("T", 300) } }
local width = convc.param("C", 1024)

local function conv(name, out, kernel, dilation)
    local options = { out_channels = out, kernel_size = kernel, activation = "relu" }
    if dilation then
        options.dilation, options.padding = dilation, dilation * (kernel - 1) // 2
    end
    n.conv(name, options)
end

-- The 3s of the middle each take an eighth of the channels; the first eighth passes.
local function block(name, dilation)
    conv(name .. ".conv1", width, 1)
    n.join(width // 8)
    for i = 2, 8 do
        conv(name .. ".res2net" .. i, width // 8, 3, dilation)
    end
    n.join(width)
    conv(name .. ".conv2", width, 1)
    n.squeeze(name .. ".squeeze", 128, "relu", "sigmoid")
end

conv("conv1", width, 5, 1)
for i = 1, 3 do block("block" .. i, i + 1) end
n.join(3 * width)
conv("aggregate", 1536, 1)
n.join(3 * 1536) -- with mean and deviation of every channel
n.conv("attention.1", { out_channels = 128, kernel_size = 1, activation = "tanh" })
n.conv("attention.2", { out_channels = 1536, kernel_size = 1 })
n.join(2 * 1536) -- weighted mean and deviation
n.pool_all()
n.conv("embedding", { out_channels = 192, kernel_size = 1 })
return n.layers
