-- Windows in all shapes: of volumes, with strides and dilations, many channels in both layouts,
-- with weights, which a flip mirrors, and with an epilogue behind them.
local function range(x)
    local t = convc.taps(x)
    return convc.rank(t, #t) - convc.rank(t, 1)
end

return {
    convc.conv {
        name = "volume",
        input = { 1, 2, 6, 12, 20 }, kernel_size = { 2, 3, 3 }, padding = { 0, 1, 1 },
        layout = "nchw", window = function(x) return convc.median(convc.taps(x)) end,
    },
    convc.conv {
        name = "far_apart",
        input = { 2, 16, 30, 31 }, kernel_size = 3, stride = { 1, 2 }, dilation = 2, padding = 2,
        padding_mode = "circular", window = range, bias = true, activation = "relu",
    },
    convc.conv {
        name = "weighted",
        input = { 1, 5, 17, 40 }, kernel_size = { 2, 4 }, padding = "same", flip = true,
        layout = "nchw",
        window = function(x, w)
            local t = convc.taps(x)
            for i, v in ipairs(convc.taps(w)) do t[i] = convc.abs(t[i] - v) end
            return convc.sum(t)
        end,
    },
    convc.conv {
        name = "scaled",
        input = { 1, 3, 24, 24 }, kernel_size = 3, padding = 1, padding_mode = "reflect",
        window = range,
        epilogue = function(acc, e) return convc.tanh(acc * e.gain) end,
        args = { gain = "scalar" },
    },
}
