-- The mean of N x N pixels.
-- H, W and C: the picture. Every channel is filtered by itself.

return convc.conv {
    input = { 1, convc.param("C", 1), convc.param("H", 270), convc.param("W", 480) },
    weights = convc.filters.box(convc.param("N", 3)),
    padding = "same",
    padding_mode = "symmetric",
}
