-- Grey: 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601). A 1x1 kernel over all colours; three
-- channels become one. H, W and C: the picture. Alpha stays.
--
-- >>> y = np.tensordot([[0.299, 0.587, 0.114]], np.repeat(x, 3 // len(x), axis=0), 1)

local picture = require "picture"
local channels = convc.param("C", 1)

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.mix(channels, { { 0.299, 0.587, 0.114 } }),
}
