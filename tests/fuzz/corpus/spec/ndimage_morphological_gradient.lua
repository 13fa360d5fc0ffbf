-- scipy.ndimage.morphological_gradient: how far the largest pixel of a window is from the smallest.
--
-- >>> y = ndimage.morphological_gradient(x, size=(3, 5), mode="nearest")

return convc.conv {
    input = { 1, 1, 33, 70 },
    kernel_size = { 3, 5 },
    padding = "same",
    padding_mode = "replicate",
    window = function(x)
        local t = convc.taps(x)
        return convc.rank(t, #t) - convc.rank(t, 1)
    end,
}
