-- scipy.signal.correlate2d, with all of its modes and boundaries.
--
-- MODE: full | same | valid
-- BOUNDARY: fill | wrap | symm
-- >>> k = [[1, 2, 3], [4, 5, 6], [7, 8, 9], [0, 1, 0]]
-- >>> y = signal.correlate2d(x, k, MODE, BOUNDARY, fillvalue=0.5)

local border = { fill = "constant", wrap = "circular", symm = "symmetric" }

return convc.conv {
    input = { 1, 1, 15, 22 },
    weights = { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 }, { 0, 1, 0 } },
    padding = convc.param("MODE", "full"), -- "same": an even kernel reaches further ahead
    padding_mode = border[convc.param("BOUNDARY", "fill")],
    padding_value = 0.5,
}
