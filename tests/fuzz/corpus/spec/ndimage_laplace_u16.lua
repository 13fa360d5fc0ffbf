-- scipy.ndimage.laplace of a deep picture, held within 0 and 65535 as it is stored.
--
-- >>> y = np.clip(ndimage.laplace(x), 0, 65535)

return convc.conv {
    input = { 1, 1, 33, 50 },
    weights = convc.filters.laplacian,
    padding = "same",
    padding_mode = "symmetric",
    dtype = "u16",
}
