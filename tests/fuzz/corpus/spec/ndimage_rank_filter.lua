-- scipy.ndimage.rank_filter: of the pixels in a row around each, sorted, the one at a rank.
--
-- RANK: 0 | 2 | 10
-- >>> y = ndimage.rank_filter(x, RANK, size=(1, 11), mode="mirror")

local rank = convc.param("RANK", 2)

return convc.conv {
    input = { 1, 1, 19, 67 },
    kernel_size = { 1, 11 },
    padding = "same",
    padding_mode = "reflect",
    window = function(x) return convc.rank(convc.taps(x), rank + 1) end,
}
