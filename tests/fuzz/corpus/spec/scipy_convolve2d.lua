-- scipy.signal.convolve2d, with all of its modes and boundaries.
--
-- MODE: full | same | valid
-- BOUNDARY: fill | wrap | symm
-- >>> k = [[1, 2, 3], [4, 5, 6], [7, 8, 9], [0, 1, 0]]
-- >>> y = signal.convolve2d(x, k, MODE, BOUNDARY, fillvalue=0.5)

local mode = convc.param("MODE", "full")
local border = { fill = "constant", wrap = "circular", symm = "symmetric" }

return convc.conv {
    input = { 1, 1, 15, 22 },
    weights = { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 }, { 0, 1, 0 } },
    flip = true,
    padding = mode == "same" and "same_lower" or mode,
    padding_mode = border[convc.param("BOUNDARY", "fill")],
    padding_value = 0.5,
}
