-- Three filters over one picture in one pass, as its new colours: what grows to the right is red,
-- what grows downward green, what is darker than its neighbours blue. The filters see grey, which
-- is mixed in the same pass. H, W and C: the picture. Alpha stays.
--
-- >>> grey = np.tensordot([0.299, 0.587, 0.114], np.repeat(x, 3 // len(x), axis=0), 1)
-- >>> y = np.stack([ndimage.sobel(grey, 1), ndimage.sobel(grey, 0), ndimage.laplace(grey)])

local picture = require "picture"
local channels = convc.param("C", 1)
local f, luma = convc.filters, { 0.299, 0.587, 0.114 }

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.mix(channels, { luma, luma, luma }, { f.sobel_x, f.sobel_y, f.laplacian }),
    padding = "same",
    padding_mode = "symmetric",
}
