-- `require` reads modules from specs/lib. "net" writes a network as its layers, one after the
-- other.

local net = require "net"

local n = net.new { channels = 3, size = { 32, 32 } }
n.conv("conv1", { out_channels = 16, kernel_size = 3, padding = 1, activation = "relu" })
n.pool { kernel_size = 2, stride = 2 }
n.conv("conv2", { out_channels = 32, kernel_size = 3, padding = 1, activation = "relu" })
return n.layers
