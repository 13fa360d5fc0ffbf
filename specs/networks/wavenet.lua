-- WaveNet: van den Oord et al., "WaveNet: a generative model for raw audio", 2016, figure 4. 1-D,
-- causal (all padding is at the beginning), dilations 1, 2, 4 ... 512 over and over.
-- T is the number of samples, BLOCKS that of repetitions. 64 residual channels, 256 for the output.

local net = require "net"

local n = net.new { channels = 1, size = { convc.param("T", 4000) } }

-- The gate (tanh times sigmoid of its halves) lies between the dilated convolution and the 1x1s.
local function layer(name, dilation)
    n.conv(name .. ".dilated",
           { out_channels = 128, kernel_size = 2, dilation = dilation,
             padding = { { dilation, 0 } } })
    n.join(64)
    local gated = n.mark()
    n.conv(name .. ".skip", { out_channels = 256, kernel_size = 1, residual = true })
    gated()
    n.conv(name .. ".out", { out_channels = 64, kernel_size = 1, residual = true })
end

n.conv("causal", { out_channels = 64, kernel_size = 2, padding = { { 1, 0 } } })
for block = 1, convc.param("BLOCKS", 2) do
    for i = 0, 9 do
        layer("block" .. block .. "." .. i, 1 << i)
    end
end
n.join(256)
n.conv("post1", { out_channels = 256, kernel_size = 1, activation = "relu" })
n.conv("post2", { out_channels = 256, kernel_size = 1 })
return n.layers
