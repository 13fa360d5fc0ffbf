-- scipy.ndimage.uniform_filter: the mean of SIZE x SIZE pixels.
--
-- SIZE: 3 | 4
-- >>> y = ndimage.uniform_filter(x, SIZE)

return convc.conv {
    input = { 1, 1, 20, 33 },
    weights = convc.filters.box(convc.param("SIZE", 3)),
    padding = "same_lower",
    padding_mode = "symmetric",
}
