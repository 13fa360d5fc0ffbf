-- The gradient by Scharr's kernel, across (x) or down (y). It depends less on the direction of
-- an edge than Sobel's.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- DIRECTION: x | y
-- >>> k = {"x": [[-3, 0, 3], [-10, 0, 10], [-3, 0, 3]],
-- ...      "y": [[-3, -10, -3], [0, 0, 0], [3, 10, 3]]}[DIRECTION]
-- >>> y = ndimage.correlate(x, [k], mode="nearest")

local picture = require "picture"
local channels = convc.param("C", 1)

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, convc.filters["scharr_" .. convc.param("DIRECTION", "x")]),
    padding = "same",
    padding_mode = "replicate",
}
