-- A kernel down the columns and one across the rows, as scipy.signal.sepfir2d and OpenCV's
-- sepFilter2D have it: together, their outer product.
--
-- >>> y = ndimage.correlate1d(ndimage.correlate1d(x, [1, 2, 3, 2, 1], 0), [0.25, 0.5, 0.25], 1)

return convc.conv {
    input = { 1, 1, 19, 26 },
    weights = convc.filters.outer({ 1, 2, 3, 2, 1 }, { 0.25, 0.5, 0.25 }), -- the column first
    padding = "same",
    padding_mode = "symmetric",
}
