-- Lines LAMBDA pixels apart that run across the direction of THETA degrees: a Gabor filter.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- THETA: 0 | 30
-- >>> down, across = np.mgrid[-4:5, -4:5]
-- >>> u = across * np.cos(np.radians(THETA)) + down * np.sin(np.radians(THETA))
-- >>> k = np.exp(-(down**2 + across**2) / 8) * np.cos(2 * np.pi * u / 4)
-- >>> y = ndimage.correlate(x, [k], mode="mirror")

local picture = require "picture"
local channels = convc.param("C", 1)
local kernel = convc.filters.gabor(convc.param("N", 9), convc.param("SIGMA", 2),
                                   math.rad(convc.param("THETA", 0)), convc.param("LAMBDA", 4))

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, kernel),
    padding = "same_lower",
    padding_mode = "reflect",
}
