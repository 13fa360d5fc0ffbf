-- ShuffleNet v2 1x: Ma, Zhang, Zheng, Sun, "ShuffleNet V2: practical guidelines for efficient CNN
-- architecture design", 2018, table 5. 56 convolutions; 0.146 GMAC in the paper, 0.145 by
-- torchvision's count. Half of the channels pass a unit as they are.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("H", 224), convc.param("W", 224) } }

local function pointwise(name, out)
    n.conv(name, { out_channels = out, kernel_size = 1, activation = "relu" })
end

local function depthwise(name, stride)
    n.conv(name, { out_channels = n.channels(), groups = n.channels(), kernel_size = 3,
                   stride = stride, padding = 1 })
end

local function unit(name, out, stride)
    local half = out // 2
    if stride == 2 then
        local back = n.mark()
        depthwise(name .. ".left.depthwise", 2)
        pointwise(name .. ".left.conv", half)
        back()
    else
        n.join(half)
    end
    pointwise(name .. ".right.conv1", half)
    depthwise(name .. ".right.depthwise", stride)
    pointwise(name .. ".right.conv2", half)
    n.join(out)
end

n.conv("conv1", { out_channels = 24, kernel_size = 3, stride = 2, padding = 1,
                  activation = "relu" })
n.pool { kernel_size = 3, stride = 2, padding = 1 }
for i, stage in ipairs { { 116, 4 }, { 232, 8 }, { 464, 4 } } do
    for k = 1, stage[2] do
        unit("stage" .. i + 1 .. "." .. k - 1, stage[1], k == 1 and 2 or 1)
    end
end
pointwise("conv5", 1024)
return n.layers
