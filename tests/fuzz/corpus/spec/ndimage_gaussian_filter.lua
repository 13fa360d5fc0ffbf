-- scipy.ndimage.gaussian_filter: cut off at TRUNCATE times sigma, which is how large the kernel is,
-- and divided by what is left.
--
-- SIGMA: 0.7 | 1.0 | 2.3
-- TRUNCATE: 4.0 | 2.0
-- >>> y = ndimage.gaussian_filter(x, SIGMA, truncate=TRUNCATE)

local sigma = convc.param("SIGMA", 1)
local radius = math.floor(convc.param("TRUNCATE", 4) * sigma + 0.5)

return convc.conv {
    input = { 1, 1, 20, 33 },
    weights = convc.filters.gaussian(2 * radius + 1, sigma),
    padding = "same",
    padding_mode = "symmetric",
}
