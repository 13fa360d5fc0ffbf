-- The gradient of a picture of bytes by Sobel's kernel, across (x) or down (y): whole numbers with
-- a sign, which --output writes as .npy. H, W and C: the picture.
--
-- DIRECTION: x | y
-- >>> k = {"x": [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]],
-- ...      "y": [[-1, -2, -1], [0, 0, 0], [1, 2, 1]]}[DIRECTION]
-- >>> y = ndimage.correlate(x, [k], mode="nearest")

return convc.conv {
    input = { 1, convc.param("C", 1), convc.param("H", 270), convc.param("W", 480) },
    weights = convc.filters["sobel_" .. convc.param("DIRECTION", "x")],
    padding = "same",
    padding_mode = "replicate",
    dtype = { src = "u8", dst = "s16" },
}
