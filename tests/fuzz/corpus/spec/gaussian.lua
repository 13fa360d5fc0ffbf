-- Blurs: N x N weights of a Gaussian, which sum to 1.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- N: 5 | 11
-- SIGMA: 1 | 1.8
-- >>> y = ndimage.gaussian_filter(x, (0, SIGMA, SIGMA), radius=N // 2)

local picture = require "picture"
local channels = convc.param("C", 1)
local kernel = convc.filters.gaussian(convc.param("N", 5), convc.param("SIGMA", 1))

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, kernel),
    padding = "same_lower",
    padding_mode = "symmetric",
}
