-- Sharpens by what a blur takes away, AMOUNT times.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- AMOUNT: 0.5 | 1.5
-- >>> y = x + AMOUNT * (x - ndimage.gaussian_filter(x, (0, 2, 2), radius=6))

local picture = require "picture"
local channels = convc.param("C", 1)
local kernel = convc.filters.unsharp(convc.param("N", 13), convc.param("SIGMA", 2),
                                     convc.param("AMOUNT", 1))

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, kernel),
    padding = "same",
    padding_mode = "symmetric",
}
