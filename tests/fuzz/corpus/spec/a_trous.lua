-- A step of the wavelet transform "a trous": a spline's blur, its taps 2^LEVEL apart.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- LEVEL: 0 | 1 | 3
-- >>> k = np.zeros(4 * 2**LEVEL + 1)
-- >>> k[::2**LEVEL] = [1/16, 4/16, 6/16, 4/16, 1/16]
-- >>> y = ndimage.correlate(x, [np.outer(k, k)], mode="mirror")

local picture = require "picture"
local channels = convc.param("C", 1)
local spline = { 1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16 }

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, convc.filters.outer(spline, spline)),
    dilation = 2 ^ convc.param("LEVEL", 1),
    padding = "same",
    padding_mode = "reflect",
}
