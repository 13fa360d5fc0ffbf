-- Convolution as mathematics and SciPy define it: the kernel mirrored, all overlaps ("full").
--
-- >>> y = signal.convolve2d(x, [[1, 2, 3], [4, 5, 6], [7, 8, 9]])

return convc.conv {
    input = { 1, 1, 16, 16 },
    weights = { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 } },
    flip = true,
    padding = "full",
}
