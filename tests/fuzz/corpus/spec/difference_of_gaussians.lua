-- What lies between two sizes: a narrow blur less a wide one.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- >>> narrow = ndimage.gaussian_filter(x, (0, 1, 1), radius=6)
-- >>> y = narrow - ndimage.gaussian_filter(x, (0, 1.6, 1.6), radius=6)

local picture = require "picture"
local channels = convc.param("C", 1)
local sigma = convc.param("SIGMA", 1)
local kernel = convc.filters.dog(convc.param("N", 13), sigma, 1.6 * sigma)

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, kernel),
    padding = "same_lower",
    padding_mode = "symmetric",
}
