-- Edges that are bright on the side of DIRECTION: one of Kirsch's eight kernels.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- DIRECTION: n | e | sw
-- >>> k = {"n": [[5, 5, 5], [-3, 0, -3], [-3, -3, -3]],
-- ...      "e": [[-3, -3, 5], [-3, 0, 5], [-3, -3, 5]],
-- ...      "sw": [[-3, -3, -3], [5, 0, -3], [5, 5, -3]]}[DIRECTION]
-- >>> y = ndimage.correlate(x, [k], mode="nearest")

local picture = require "picture"
local channels = convc.param("C", 1)

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, convc.filters.kirsch(convc.param("DIRECTION", "n"))),
    padding = "same",
    padding_mode = "replicate",
}
