-- Blobs and edges of one size: a Laplacian after a Gaussian of SIGMA.
-- H, W and C: the picture. Every channel is filtered by itself.

return convc.conv {
    input = { 1, convc.param("C", 1), convc.param("H", 270), convc.param("W", 480) },
    weights = convc.filters.log(convc.param("N", 9), convc.param("SIGMA", 1.4)),
    padding = "same",
    padding_mode = "reflect",
}
