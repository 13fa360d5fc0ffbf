-- Convolution as mathematics and SciPy define it: the kernel mirrored, all overlaps ("full").

return convc.conv {
    input = { 1, 1, 16, 16 },
    weights = { { 1, 2, 3 }, { 4, 5, 6 }, { 7, 8, 9 } },
    flip = true,
    padding = "full",
}
