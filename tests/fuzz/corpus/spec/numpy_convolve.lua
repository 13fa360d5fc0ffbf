-- numpy.convolve: the kernel mirrored, along a signal. The same as a product with a matrix.
--
-- MODE: full | same | valid
-- >>> k = [1, 2, 0, -1]
-- >>> y = np.convolve(x, k, MODE)
-- >>> assert np.allclose(y, signal.convolve(x, k, MODE))
-- >>> assert np.allclose(y, linalg.convolution_matrix(k, len(x), MODE) @ x)

local mode = convc.param("MODE", "full")

return convc.conv {
    input = { 1, 1, 40 },
    weights = { 1, 2, 0, -1 },
    flip = true,
    padding = mode == "same" and "same_lower" or mode, -- an even kernel reaches further back
}
