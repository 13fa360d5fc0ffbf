-- An old photograph: every colour is a mixture of all three. Grey comes out in colours.
-- H, W and C: the picture. Alpha stays.
--
-- >>> m = [[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]]
-- >>> y = np.tensordot(m, np.repeat(x, 3 // len(x), axis=0), 1)

local picture = require "picture"
local channels = convc.param("C", 1)
local tones = { { 0.393, 0.769, 0.189 }, { 0.349, 0.686, 0.168 }, { 0.272, 0.534, 0.131 } }

return convc.conv {
    input = { 1, channels, convc.param("H", 270), convc.param("W", 480) },
    weights = picture.mix(channels, tones),
}
