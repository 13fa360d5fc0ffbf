-- The whole gradient: of every channel c of a picture, 2c across and 2c + 1 down. Of every channel
-- the output has two: written as .npy. H, W and C: the picture.
--
-- >>> y = np.stack([ndimage.sobel(c, axis) for c in x for axis in (1, 0)])

local f = convc.filters

return convc.conv {
    input = { 1, convc.param("C", 1), convc.param("H", 270), convc.param("W", 480) },
    weights = { list = { f.sobel_x, f.sobel_y } },
    padding = "same",
    padding_mode = "symmetric",
}
