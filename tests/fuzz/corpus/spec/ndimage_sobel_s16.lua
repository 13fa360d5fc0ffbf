-- scipy.ndimage.sobel of a picture: its bytes become differences with a sign, all of them exact.
--
-- AXIS: 0 | 1
-- >>> y = ndimage.sobel(x.astype(np.int16), AXIS)

local filter = convc.param("AXIS", 1) == 1 and "sobel_x" or "sobel_y"

return convc.conv {
    input = { 1, 1, 41, 67 },
    weights = convc.filters[filter],
    padding = "same",
    padding_mode = "symmetric",
    dtype = { src = "u8", dst = "s16" },
}
