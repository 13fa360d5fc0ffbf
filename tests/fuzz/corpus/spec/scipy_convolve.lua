-- scipy.signal.convolve, here of a volume: every axis of the kernel mirrored. fftconvolve and
-- oaconvolve compute the same in another way.
--
-- MODE: full | same | valid
-- >>> k = np.array([[[1, 2], [0, -1]], [[3, 0], [1, 1]]])
-- >>> y = signal.convolve(x, k, MODE, method="direct")
-- >>> assert np.allclose(y, signal.fftconvolve(x, k, MODE), atol=1e-5)

local mode = convc.param("MODE", "full")

return convc.conv {
    input = { 1, 1, 6, 9, 14 },
    weights = { { { 1, 2 }, { 0, -1 } }, { { 3, 0 }, { 1, 1 } } },
    flip = true,
    padding = mode == "same" and "same_lower" or mode,
}
