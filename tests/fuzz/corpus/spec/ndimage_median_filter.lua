-- scipy.ndimage.median_filter: the middle one of all pixels around each.
--
-- SIZE: 3 | 5 | 7
-- >>> y = ndimage.median_filter(x, size=SIZE)

return convc.conv {
    input = { 1, 1, 37, 61 },
    kernel_size = convc.param("SIZE", 3),
    padding = "same",
    padding_mode = "symmetric",
    window = function(x) return convc.median(convc.taps(x)) end,
}
