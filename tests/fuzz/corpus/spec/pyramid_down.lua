-- Half the size: a blur, and every second pixel of it, as OpenCV's pyrDown.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- >>> k = np.array([1, 4, 6, 4, 1]) / 16
-- >>> y = ndimage.correlate(x, [np.outer(k, k)], mode="mirror")[:, ::2, ::2]

local picture = require "picture"
local channels = convc.param("C", 1)
local spline = { 1 / 16, 4 / 16, 6 / 16, 4 / 16, 1 / 16 }

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, convc.filters.outer(spline, spline)),
    stride = 2,
    padding = 2,
    padding_mode = "reflect",
}
