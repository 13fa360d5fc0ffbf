-- The largest or the smallest under a footprint, whose zeros are no taps: scipy.ndimage's
-- maximum_filter and minimum_filter, and flat dilation and erosion. What lies outside of the
-- picture is left out.
--
-- RANK: max | min
-- >>> cross, inf = [[0, 1, 0], [1, 1, 1], [0, 1, 0]], np.inf
-- >>> if RANK == "max":
-- ...     y = ndimage.maximum_filter(x, footprint=cross, mode="constant", cval=-inf)
-- ...     assert (y == ndimage.grey_dilation(x, footprint=cross, mode="constant", cval=-inf)).all()
-- ... else:
-- ...     y = ndimage.minimum_filter(x, footprint=cross, mode="constant", cval=inf)
-- ...     assert (y == ndimage.grey_erosion(x, footprint=cross, mode="constant", cval=inf)).all()

local rank = convc.param("RANK", "max")
local never = rank == "max" and -math.huge or math.huge

return convc.conv {
    input = { 1, 1, 21, 30 },
    weights = { { 0, 1, 0 }, { 1, 1, 1 }, { 0, 1, 0 } },
    padding = 1,
    padding_mode = "identity",
    combine = function(x, w) return convc.where(convc.gt(w, 0), x, never) end,
    reduce = rank,
}
