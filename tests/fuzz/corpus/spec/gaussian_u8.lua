-- Blurs a picture of bytes, and writes bytes: N x N weights of a Gaussian, which sum to 1.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
-- What is rounded may be a quarter of a unit off: see tolerance. 0 rounds the sums of `acc`.
--
-- N: 3 | 5 | 7 | 15
-- SIGMA: 0.8 | 1.1 | 3
-- TOLERANCE: 1e-5 | 0
-- within: TOLERANCE and 0.75 or 0.502
-- >>> y = ndimage.gaussian_filter(x, (0, SIGMA, SIGMA), radius=N // 2)

local picture = require "picture"
local channels = convc.param("C", 1)
local kernel = convc.filters.gaussian(convc.param("N", 5), convc.param("SIGMA", 1.1))

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, kernel),
    padding = "same_lower",
    padding_mode = "symmetric",
    dtype = "u8",
    tolerance = convc.param("TOLERANCE", 1e-5),
}
