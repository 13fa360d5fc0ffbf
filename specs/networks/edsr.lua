-- EDSR baseline: Lim, Son, Kim, Nah, Lee, "Enhanced deep residual networks for single image
-- super-resolution", 2017, figure 3: 16 blocks of 64 channels. Tables of later papers give, for a
-- result of 1280x720, 316.3 GMAC at SCALE=2 and 114.0 at SCALE=4 (H and W are those of the input).

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("H", 90), convc.param("W", 160) } }
local scale = convc.param("SCALE", 2)
assert(scale == 2 or scale == 4, "SCALE is 2 or 4")

local function conv(name, out, options)
    options = options or {}
    n.conv(name, { out_channels = out, kernel_size = 3, padding = 1,
                   activation = options.activation, residual = options.residual })
end

conv("head", 64)
for i = 1, 16 do
    conv("body" .. i .. ".conv1", 64, { activation = "relu" })
    conv("body" .. i .. ".conv2", 64, { residual = true })
end
conv("body.end", 64, { residual = true })
for i = 1, scale // 2 do
    conv("upscale" .. i, 4 * 64)
    n.join(64)
    n.grow(2)
end
conv("tail", 3)
return n.layers
