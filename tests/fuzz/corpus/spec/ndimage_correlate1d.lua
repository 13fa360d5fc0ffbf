-- scipy.ndimage.correlate1d: one kernel along one axis of a picture.
--
-- AXIS: 0 | 1
-- MODE: reflect | mirror | nearest | wrap | constant
-- >>> y = ndimage.correlate1d(x, [1, 2, -1, 3], AXIS, mode=MODE)

local border = { reflect = "symmetric", mirror = "reflect", nearest = "replicate",
                 wrap = "circular", constant = "zeros" }
local k, f = { 1, 2, -1, 3 }, convc.filters

return convc.conv {
    input = { 1, 1, 17, 21 },
    weights = convc.param("AXIS", 1) == 0 and f.outer(k, { 1 }) or f.outer({ 1 }, k),
    padding = "same_lower",
    padding_mode = border[convc.param("MODE", "reflect")],
}
