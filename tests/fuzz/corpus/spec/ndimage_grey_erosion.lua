-- scipy.ndimage.grey_erosion with a structure: the smallest of x - w, the structure as it is.
--
-- ROWS: 3 | 4
-- MODE: reflect | mirror | nearest | wrap
-- >>> y = ndimage.grey_erosion(x, structure=w[0, 0], mode=MODE)

local border = { reflect = "symmetric", mirror = "reflect", nearest = "replicate",
                 wrap = "circular" }

return convc.conv {
    input = { 1, 1, 21, 30 },
    out_channels = 1,
    kernel_size = { convc.param("ROWS", 3), 5 },
    padding = "same_lower", -- an even structure reaches further back
    padding_mode = border[convc.param("MODE", "reflect")],
    combine = function(x, w) return x - w end,
    reduce = "min",
}
