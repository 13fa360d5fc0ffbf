-- R3D-18: Tran et al., "A closer look at spatiotemporal convolutions for action recognition", 2017,
-- table 1. 3-D: T frames of H x W. 20 convolutions; the paper's clips, T=16, take 40.7 GMAC, the 8
-- frames of the default half of that.

local net, resnet = require "net", require "resnet"

local n = net.new { channels = 3, size = { convc.param("T", 8), convc.param("H", 112),
                                           convc.param("W", 112) } }

n.conv("stem",
       { out_channels = 64, kernel_size = { 3, 7, 7 }, stride = { 1, 2, 2 }, padding = { 1, 3, 3 },
         activation = "relu" })
resnet.basic_stages(n, { 2, 2, 2, 2 })
return n.layers
