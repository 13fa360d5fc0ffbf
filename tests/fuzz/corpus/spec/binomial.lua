-- Blurs a picture of bytes, and writes bytes: the binomial kernel 1 4 6 4 1, down and across.
-- H, W and C: the picture. Every colour is filtered by itself; alpha stays.
--
-- >>> b = np.array([1, 4, 6, 4, 1]) / 16
-- >>> y = np.rint(ndimage.correlate(x, [np.outer(b, b)], mode="reflect"))

local picture = require "picture"
local channels = convc.param("C", 1)
local row, kernel = { 1, 4, 6, 4, 1 }, {}
for i = 1, 5 do
    kernel[i] = {}
    for j = 1, 5 do kernel[i][j] = row[i] * row[j] / 256 end
end

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.each(channels, kernel),
    padding = "same",
    padding_mode = "symmetric",
    dtype = "u8",
}
