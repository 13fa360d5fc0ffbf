-- The blur of a motion by N pixels, THETA degrees from rightward to downward.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- THETA: 0 | 90
-- >>> y = ndimage.uniform_filter(x, (1, 1, 15) if THETA == 0 else (1, 15, 1), mode="nearest")

local picture = require "picture"
local channels = convc.param("C", 1)
local theta = math.rad(convc.param("THETA", 0))

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, convc.filters.motion(convc.param("N", 15), theta)),
    padding = "same_lower",
    padding_mode = "replicate",
}
