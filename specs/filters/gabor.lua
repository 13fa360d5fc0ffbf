-- A bank of Gabor filters: waves of LAMBDA pixels in four directions, as in the first layer of a
-- visual cortex. H, W and C: the picture. Of every channel the output has four.

local bank = {}
for i = 1, 4 do
    bank[i] = convc.filters.gabor(convc.param("N", 9), convc.param("SIGMA", 2),
                                  (i - 1) * math.pi / 4, convc.param("LAMBDA", 4))
end

return convc.conv {
    input = { 1, convc.param("C", 1), convc.param("H", 270), convc.param("W", 480) },
    weights = { list = bank },
    padding = "same",
    padding_mode = "reflect",
}
