-- numpy.correlate: the kernel as it is written, along a signal. Looks for a pattern in it.
--
-- MODE: full | same | valid
-- >>> k = [1, 2, 0, -1]
-- >>> y = np.correlate(x, k, MODE)
-- >>> assert np.allclose(y, signal.correlate(x, k, MODE))

local mode = convc.param("MODE", "valid")

return convc.conv {
    input = { 1, 1, 40 },
    weights = { 1, 2, 0, -1 },
    padding = mode == "same" and "same_lower" or mode,
}
