-- Blobs and edges of one size: a Laplacian after a Gaussian of SIGMA.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- SIGMA: 1.4 | 2
-- >>> g, r = signal.windows.gaussian(9, SIGMA), np.arange(-4, 5) ** 2
-- >>> k = np.outer(g, g) / g.sum() ** 2 * (np.add.outer(r, r) - 2 * SIGMA ** 2) / SIGMA ** 4
-- >>> y = ndimage.correlate(x, [k - k.mean()], mode="mirror")

local picture = require "picture"
local channels = convc.param("C", 1)
local kernel = convc.filters.log(convc.param("N", 9), convc.param("SIGMA", 1.4))

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, kernel),
    padding = "same_lower",
    padding_mode = "reflect",
}
