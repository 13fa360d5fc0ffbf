-- The mean of N neighbours, where there are so many.
--
-- N: 3 | 8
-- >>> y = np.convolve(x, np.ones(N) / N, "valid")

return convc.conv {
    input = { 1, 1, 100 },
    weights = convc.filters.box_1d(convc.param("N", 5)),
}
