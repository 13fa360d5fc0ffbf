-- Light from the upper left on a relief.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- >>> y = ndimage.correlate(x, [[[-2, -1, 0], [-1, 1, 1], [0, 1, 2]]], mode="nearest")

local picture = require "picture"
local channels = convc.param("C", 1)

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, convc.filters.emboss),
    padding = "same",
    padding_mode = "replicate",
}
