-- Blurs: N x N weights of a Gaussian, which sum to 1.
-- H, W and C: the picture. Every channel is filtered by itself.

return convc.conv {
    input = { 1, convc.param("C", 1), convc.param("H", 270), convc.param("W", 480) },
    weights = convc.filters.gaussian(convc.param("N", 5), convc.param("SIGMA", 1)),
    padding = "same",
    padding_mode = "symmetric",
}
