-- C3D: Tran, Bourdev, Fergus, Torresani, Paluri, "Learning spatiotemporal features with 3D
-- convolutional networks", 2014, figure 3. 3-D: T frames of H x W. 8 convolutions; 38.5 GMAC at the
-- paper's T=16, as usually quoted, the 8 frames of the default half of that.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("T", 8), convc.param("H", 112),
                                           convc.param("W", 112) } }

for stage, widths in ipairs { { 64 }, { 128 }, { 256, 256 }, { 512, 512 }, { 512, 512 } } do
    for i, width in ipairs(widths) do
        n.conv("conv" .. stage .. (i == 1 and "a" or "b"),
               { out_channels = width, kernel_size = 3, padding = 1, activation = "relu" })
    end
    if stage == 1 then
        n.pool { kernel_size = { 1, 2, 2 }, stride = { 1, 2, 2 } }
    elseif stage < 5 then
        n.pool { kernel_size = 2, stride = 2, ceil = true }
    end
end
return n.layers
