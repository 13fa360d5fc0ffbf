-- Adds to every pixel what sets it apart from its neighbours.
-- H, W and C: the picture. Every channel is filtered by itself.

return convc.conv {
    input = { 1, convc.param("C", 1), convc.param("H", 270), convc.param("W", 480) },
    weights = convc.filters.sharpen,
    padding = "same",
    padding_mode = "replicate",
}
