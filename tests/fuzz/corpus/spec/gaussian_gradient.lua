-- The gradient after a blur, across (x) or down (y), or a second derivative of it (xx, yy, xy).
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- ALONG: x | y | xx | yy | xy
-- >>> order = (0, ALONG.count("y"), ALONG.count("x"))
-- >>> y = ndimage.gaussian_filter(x, (0, 1.5, 1.5), order, radius=6)

local picture = require "picture"
local channels = convc.param("C", 1)
local along = convc.param("ALONG", "x")
local kernel = convc.filters["gaussian_" .. along](convc.param("N", 13), convc.param("SIGMA", 1.5))

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, kernel),
    padding = "same_lower",
    padding_mode = "symmetric",
}
