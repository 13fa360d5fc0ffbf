-- MnasNet-B1: Tan et al., "MnasNet: platform-aware neural architecture search for mobile", 2018,
-- as torchvision's mnasnet1_0 has it: without squeeze and excitation. 52 convolutions; torchvision
-- counts 0.314 GMAC.

local net, mobile = require "net", require "mobile"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }

n.conv("stem", { out_channels = 32, kernel_size = 3, stride = 2, padding = 1,
                 activation = "relu" })
--                expand kernel out  times  stride
local stages = {  { 1,    3,     16,  1,     1 },
                  { 3,    3,     24,  3,     2 },
                  { 3,    5,     40,  3,     2 },
                  { 6,    5,     80,  3,     2 },
                  { 6,    3,     96,  2,     1 },
                  { 6,    5,    192,  4,     2 },
                  { 6,    3,    320,  1,     1 } }
mobile.stages(n, "stage", stages, { activation = "relu" })
n.conv("head", { out_channels = 1280, kernel_size = 1, activation = "relu" })
return n.layers
