-- RegNetY: Radosavovic, Kosaraju, Girshick, He, Dollar, "Designing network design spaces", 2020,
-- appendix. MODEL is one of 400mf (groups of 8), 800mf (16), 1.6gf (24), 3.2gf (24), 8gf (56), for
-- which torchvision counts 0.402, 0.834, 1.612, 3.176 and 8.473 GMAC.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }
local models = {
    ["400mf"] = { group = 8, depths = { 1, 3, 6, 6 }, widths = { 48, 104, 208, 440 } },
    ["800mf"] = { group = 16, depths = { 1, 3, 8, 2 }, widths = { 64, 144, 320, 784 } },
    ["1.6gf"] = { group = 24, depths = { 2, 6, 17, 2 }, widths = { 48, 120, 336, 888 } },
    ["3.2gf"] = { group = 24, depths = { 2, 5, 13, 1 }, widths = { 72, 216, 576, 1512 } },
    ["8gf"] = { group = 56, depths = { 2, 4, 10, 1 }, widths = { 224, 448, 896, 2016 } },
}
local model = assert(models[convc.param("MODEL", "400mf")], "MODEL is none of those listed")

-- A bottleneck that does not narrow, with squeeze and excitation by a quarter of its input.
local function block(name, out, stride)
    local channels, back = n.channels(), n.mark()
    if stride ~= 1 or channels ~= out then
        n.conv(name .. ".downsample", { out_channels = out, kernel_size = 1, stride = stride })
        back()
    end
    n.conv(name .. ".a", { out_channels = out, kernel_size = 1, activation = "relu" })
    n.conv(name .. ".b",
           { out_channels = out, groups = out // model.group, kernel_size = 3, stride = stride,
             padding = 1, activation = "relu" })
    n.squeeze(name .. ".squeeze", (channels + 2) // 4, "relu", "sigmoid")
    n.conv(name .. ".c", { out_channels = out, kernel_size = 1, residual = true,
                           activation = "relu" })
end

n.conv("stem", { out_channels = 32, kernel_size = 3, stride = 2, padding = 1,
                 activation = "relu" })
for stage = 1, 4 do
    for i = 1, model.depths[stage] do
        block("block" .. stage .. "." .. i - 1, model.widths[stage], i == 1 and 2 or 1)
    end
end
return n.layers
