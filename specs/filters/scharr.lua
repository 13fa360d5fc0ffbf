-- The gradient by Scharr's kernels, which depend less on its direction than Sobel's.
-- H, W and C: the picture. Of every channel c the output has two: 2c across, 2c+1 down.

local f = convc.filters

return convc.conv {
    input = { 1, convc.param("C", 1), convc.param("H", 270), convc.param("W", 480) },
    weights = { list = { f.scharr_x, f.scharr_y } },
    padding = "same",
    padding_mode = "replicate",
}
