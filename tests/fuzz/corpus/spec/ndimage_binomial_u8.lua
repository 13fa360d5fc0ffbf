-- A blur of a picture by the binomial kernel 1 4 6 4 1, down and across: sixteenths of sixteenths,
-- which f32 holds, so that every rounding is NumPy's.
--
-- >>> b = np.array([1, 4, 6, 4, 1]) / 16
-- >>> y = np.rint(ndimage.correlate(x, np.outer(b, b), mode="mirror"))

local row, kernel = { 1, 4, 6, 4, 1 }, {}
for i = 1, 5 do
    kernel[i] = {}
    for j = 1, 5 do kernel[i][j] = row[i] * row[j] / 256 end
end

return convc.conv {
    input = { 1, 1, 38, 75 },
    weights = kernel,
    padding = "same",
    padding_mode = "reflect",
    dtype = "u8",
}
