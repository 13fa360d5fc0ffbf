-- The mean of N x N pixels.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- N: 3 | 4
-- >>> y = ndimage.uniform_filter(x, (1, N, N))

local picture = require "picture"
local channels = convc.param("C", 1)

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, convc.filters.box(convc.param("N", 3))),
    padding = "same_lower",
    padding_mode = "symmetric",
}
