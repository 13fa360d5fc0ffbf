-- Padded and strided: of all positions of the kernel, every second down and every third across.
--
-- >>> k = [[1, 2, 1], [2, 4, 2], [1, 2, 1]]
-- >>> y = signal.correlate2d(np.pad(x, ((1, 2), (0, 3))), k, "valid")[::2, ::3]

return convc.conv {
    input = { 1, 1, 23, 30 },
    weights = convc.filters.outer({ 1, 2, 1 }, { 1, 2, 1 }),
    stride = { 2, 3 },
    padding = { { 1, 2 }, { 0, 3 } },
}
