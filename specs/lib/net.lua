-- A network as its paper's table: each layer takes the shape that the one before it leaves.
--
--     local net = require "net"
--     local n = net.new { channels = 3, size = { 224, 224 } }
--     n.conv("conv1", { out_channels = 64, kernel_size = 7, stride = 2, padding = 3 })
--     n.pool { kernel_size = 3, stride = 2, padding = 1 }
--     return n.layers
--
-- Layers are those of inference: every one has a bias, into which its batch normalisation is
-- folded. Parameters of every network: N (batch), LAYOUT, DTYPE, and RESIDUAL: with 1 the
-- convolutions add the shortcut tensors themselves; with 0, the default, they are the layers that
-- tables of networks list and that other libraries are timed on.

local net = {}

-- One value for all axes, or one for each.
local function along(value, axis)
    if type(value) == "table" then return value[axis] end
    return value
end

-- The extents that a window leaves. Padding is a number, or one for each axis, or for each axis
-- {begin, end}, or "same". `ceil` counts a last window that hangs over the end, as pools may.
local function output(size, window)
    local out = {}
    for a = 1, #size do
        local k, s = along(window.kernel_size, a), along(window.stride or 1, a)
        if window.padding == "same" then
            out[a] = (size[a] + s - 1) // s
        else
            local d, pad = along(window.dilation or 1, a), along(window.padding or 0, a)
            local both = type(pad) == "table" and pad[1] + pad[2] or 2 * pad
            local way = size[a] + both - d * (k - 1) - 1
            out[a] = (window.ceil and way + s - 1 or way) // s + 1
        end
    end
    return out
end

-- options: channels and size {spatial...} of the input.
function net.new(options)
    local batch = convc.param("N", 1)
    local layout, dtype = convc.param("LAYOUT", "nhwc"), convc.param("DTYPE", "f32")
    local shortcuts = convc.param("RESIDUAL", 0) == 1
    local channels, size = options.channels, options.size
    local n = { layers = {} }

    -- Appends a convolution; `fields` are those of convc.conv.
    function n.conv(name, fields)
        local layer = {
            name = name,
            input = { batch, channels, table.unpack(size) },
            layout = layout,
            dtype = dtype,
            bias = true,
        }
        for field, value in pairs(fields) do layer[field] = value end
        layer.residual = layer.residual and shortcuts
        n.layers[#n.layers + 1] = convc.conv(layer)
        channels, size = fields.out_channels, output(size, fields)
    end

    -- Only shrinks the picture.
    function n.pool(window)
        size = output(size, window)
    end

    -- The mean of every channel: a picture of one pixel.
    function n.pool_all()
        size = output(size, { kernel_size = size })
    end

    -- Repeats every pixel, or shuffles channels into pixels: `times` as many along each axis.
    function n.grow(times)
        local larger = {}
        for a = 1, #size do larger[a] = size[a] * times end
        size = larger
    end

    -- Squeeze and excitation: two 1x1 on the means of the channels give each channel its factor.
    -- The picture stays what it was. gate: the second activation, nil where convc has none such.
    function n.squeeze(name, inner, activation, gate)
        local wide, back = channels, n.mark()
        n.pool_all()
        n.conv(name .. ".reduce",
               { out_channels = inner, kernel_size = 1, activation = activation })
        n.conv(name .. ".expand", { out_channels = wide, kernel_size = 1, activation = gate })
        back()
    end

    -- The channels that are there now, for layers that keep their number.
    function n.channels()
        return channels
    end

    -- Remembers where the network is; the function returned goes back there.
    function n.mark()
        local c, s = channels, size
        return function() channels, size = c, s end
    end

    -- Concatenates branches: the same picture with this many channels.
    function n.join(count)
        channels = count
    end

    return n
end

return net
