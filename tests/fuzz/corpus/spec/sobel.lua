-- The gradient by Sobel's kernel, across (x) or down (y).
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- DIRECTION: x | y
-- >>> k = {"x": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
-- ...      "y": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]}[DIRECTION]
-- >>> y = ndimage.correlate(x, [k], mode="nearest")

local picture = require "picture"
local channels = convc.param("C", 1)

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, convc.filters["sobel_" .. convc.param("DIRECTION", "x")]),
    padding = "same",
    padding_mode = "replicate",
}
