-- The slope of a picture after a blur, down (y) or across (x): derivatives of a Gaussian.
--
-- ALONG: y | x
-- >>> y = ndimage.gaussian_filter(x, 1.2, order=(1, 0) if ALONG == "y" else (0, 1))

local sigma = 1.2
local radius = math.floor(4 * sigma + 0.5)

return convc.conv {
    input = { 1, 1, 20, 33 },
    weights = convc.filters["gaussian_" .. convc.param("ALONG", "x")](2 * radius + 1, sigma),
    padding = "same",
    padding_mode = "symmetric",
}
