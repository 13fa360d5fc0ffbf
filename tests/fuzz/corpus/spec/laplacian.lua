-- The second derivative: what a pixel lacks to its NEIGHBOURS, 4 or 8.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- NEIGHBOURS: 4 | 8
-- >>> k = {4: [[0, 1, 0], [1, -4, 1], [0, 1, 0]],
-- ...      8: [[1, 1, 1], [1, -8, 1], [1, 1, 1]]}[NEIGHBOURS]
-- >>> y = ndimage.correlate(x, [k], mode="mirror")

local picture = require "picture"
local channels = convc.param("C", 1)
local kernel = { [4] = convc.filters.laplacian, [8] = convc.filters.laplacian_8 }

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, kernel[convc.param("NEIGHBOURS", 4)]),
    padding = "same",
    padding_mode = "reflect",
}
