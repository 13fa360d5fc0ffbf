-- scipy.ndimage.convolve: a kernel of one's own, with each of SciPy's borders. What ndimage calls
-- reflect is called symmetric here, and its mirror is reflect, as NumPy and PyTorch have it.
--
-- MODE: reflect | mirror | nearest | wrap | constant
-- >>> k = [[1, 1, 0, 2], [1, 2, -1, 0], [0, 1, 3, 1]]
-- >>> y = ndimage.convolve(x, k, mode=MODE, cval=2)

local border = { reflect = "symmetric", mirror = "reflect", nearest = "replicate",
                 wrap = "circular", constant = "constant" }

return convc.conv {
    input = { 1, 1, 17, 21 },
    weights = { { 1, 1, 0, 2 }, { 1, 2, -1, 0 }, { 0, 1, 3, 1 } },
    flip = true,
    padding = "same", -- an even kernel reaches further ahead, other than with scipy.signal
    padding_mode = border[convc.param("MODE", "reflect")],
    padding_value = 2,
}
