-- scipy.ndimage.grey_dilation with a structure: the largest of x + w, the structure mirrored. One
-- that is flat, all zeros, is what `size` gives.
--
-- ROWS: 3 | 4
-- MODE: reflect | mirror | nearest | wrap
-- >>> y = ndimage.grey_dilation(x, structure=w[0, 0], mode=MODE)
-- >>> flat = ndimage.grey_dilation(x, size=(ROWS, 5), mode=MODE)
-- >>> assert (flat == ndimage.grey_dilation(x, structure=0 * w[0, 0], mode=MODE)).all()

local border = { reflect = "symmetric", mirror = "reflect", nearest = "replicate",
                 wrap = "circular" }

return convc.conv {
    input = { 1, 1, 21, 30 },
    out_channels = 1,
    kernel_size = { convc.param("ROWS", 3), 5 },
    flip = true,
    padding = "same", -- an even structure reaches further ahead, once it is mirrored
    padding_mode = border[convc.param("MODE", "reflect")],
    combine = function(x, w) return x + w end,
    reduce = "max",
}
