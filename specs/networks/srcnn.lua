-- SRCNN 9-5-5: Dong, Loy, He, Tang, "Image super-resolution using deep convolutional networks",
-- 2014, section 4. 3 convolutions over the enlarged picture. For 1280x720 tables of later papers
-- give 52.7 GMAC. Padded, so that the picture keeps its size.

local net = require "net"

local n = net.new { channels = 1, size = { convc.param("H", 180), convc.param("W", 320) } }

n.conv("extract", { out_channels = 64, kernel_size = 9, padding = 4, activation = "relu" })
n.conv("map", { out_channels = 32, kernel_size = 5, padding = 2, activation = "relu" })
n.conv("reconstruct", { out_channels = 1, kernel_size = 5, padding = 2 })
return n.layers
