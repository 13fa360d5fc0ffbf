-- Adds to every pixel what sets it apart from its neighbours.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- >>> y = ndimage.correlate(x, [[[0, -1, 0], [-1, 5, -1], [0, -1, 0]]], mode="nearest")

local picture = require "picture"
local channels = convc.param("C", 1)

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, convc.filters.sharpen),
    padding = "same",
    padding_mode = "replicate",
}
