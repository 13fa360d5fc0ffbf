-- Deep Speech 2: Amodei et al., "Deep Speech 2: end-to-end speech recognition in English and
-- Mandarin", 2015, table 3: the three 2-D convolutions before the recurrent layers, over 161
-- frequencies and T steps of 10 ms.

local net = require "net"

local n = net.new { channels = 1, size = { 161, convc.param("T", 300) } }
local activation = { "clamp", 0, 20 }

n.conv("conv1", { out_channels = 32, kernel_size = { 41, 11 }, stride = { 2, 2 },
                  padding = { 20, 5 }, activation = activation })
n.conv("conv2", { out_channels = 32, kernel_size = { 21, 11 }, stride = { 2, 1 },
                  padding = { 10, 5 }, activation = activation })
n.conv("conv3", { out_channels = 96, kernel_size = { 21, 11 }, stride = { 2, 1 },
                  padding = { 10, 5 }, activation = activation })
return n.layers
