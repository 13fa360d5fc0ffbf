-- Edges in all directions at once: what differs from its surroundings.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- >>> y = ndimage.correlate(x, [[[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]]], mode="mirror")

local picture = require "picture"
local channels = convc.param("C", 1)

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, convc.filters.edge_detect),
    padding = "same",
    padding_mode = "reflect",
}
