-- Xception: Chollet, "Xception: deep learning with depthwise separable convolutions", 2016,
-- figure 5, as the author's implementation (Keras) has it. 74 convolutions; 8.4 GMAC at 299x299,
-- as usually quoted.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("H", 299), convc.param("W", 299) } }

-- Depthwise 3x3 without anything behind it, then 1x1.
local function separable(name, out, options)
    n.conv(name .. ".depthwise",
           { out_channels = n.channels(), groups = n.channels(), kernel_size = 3, padding = 1,
             bias = false })
    n.conv(name .. ".pointwise",
           { out_channels = out, kernel_size = 1, activation = options.activation,
             residual = options.residual })
end

-- Two of them, the picture halved, and a shortcut by 1x1.
local function halve(name, widths)
    local back = n.mark()
    n.conv(name .. ".shortcut", { out_channels = widths[2], kernel_size = 1, stride = 2 })
    back()
    separable(name .. ".1", widths[1], { activation = "relu" })
    separable(name .. ".2", widths[2], {})
    n.pool { kernel_size = 3, stride = 2, padding = "same" }
end

n.conv("entry.conv1", { out_channels = 32, kernel_size = 3, stride = 2, activation = "relu" })
n.conv("entry.conv2", { out_channels = 64, kernel_size = 3, activation = "relu" })
halve("entry.block1", { 128, 128 })
halve("entry.block2", { 256, 256 })
halve("entry.block3", { 728, 728 })
for i = 1, 8 do
    separable("middle" .. i .. ".1", 728, { activation = "relu" })
    separable("middle" .. i .. ".2", 728, { activation = "relu" })
    separable("middle" .. i .. ".3", 728, { residual = true })
end
halve("exit.block", { 728, 1024 })
separable("exit.1", 1536, { activation = "relu" })
separable("exit.2", 2048, { activation = "relu" })
return n.layers
