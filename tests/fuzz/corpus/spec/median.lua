-- Removes what stands out, and keeps edges: every colour becomes the middle one of the SIZE x SIZE
-- around it.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- SIZE: 3 | 5
-- >>> y = ndimage.median_filter(x, (1, SIZE, SIZE))

local picture = require "picture"
local channels, size = convc.param("C", 1), convc.param("SIZE", 3)
local window, weights = picture.window(channels, size, function(x)
    return convc.median(convc.taps(x))
end)

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    kernel_size = size,
    weights = weights,
    window = window,
    padding = "same",
    padding_mode = "symmetric",
}
