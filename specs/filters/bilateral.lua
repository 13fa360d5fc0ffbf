-- Smooths what is alike, and keeps edges: a mean over 5x5 pixels, in which one counts less the
-- farther it is (SIGMA, in pixels) and the more it differs (RANGE, of what is white).
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- RANGE: 25 | 60
-- >>> v = np.lib.stride_tricks.sliding_window_view(
-- ...     np.pad(x, ((0, 0), (2, 2), (2, 2)), "edge"), (5, 5), axis=(1, 2))
-- >>> i, j = np.mgrid[-2:3, -2:3]
-- >>> k = np.exp(-(i**2 + j**2) / 4.5 - (v - x[..., None, None])**2 / (2 * RANGE**2))
-- >>> y = (k * v).sum(axis=(-1, -2)) / k.sum(axis=(-1, -2))

local picture = require "picture"
local channels = convc.param("C", 1)
local sigma, range = convc.param("SIGMA", 1.5), convc.param("RANGE", 25)

local window, weights = picture.window(channels, 5, function(x)
    local above, below = {}, {}
    for i = 0, 4 do
        for j = 0, 4 do
            local apart = ((i - 2) ^ 2 + (j - 2) ^ 2) / (2 * sigma ^ 2)
            local k = convc.exp(-apart - (x(i, j) - x(2, 2)) ^ 2 / (2 * range ^ 2))
            above[#above + 1], below[#below + 1] = k * x(i, j), k
        end
    end
    return convc.sum(above) / convc.sum(below)
end)

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    kernel_size = 5,
    weights = weights,
    window = window,
    padding = 2,
    padding_mode = "replicate",
}
