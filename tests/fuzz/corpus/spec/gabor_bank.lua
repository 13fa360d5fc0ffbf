-- A bank of Gabor filters: waves of LAMBDA pixels in four directions, as in the first layer of a
-- visual cortex. Of every channel the output has four: written as .npy. H, W and C: the picture.
--
-- >>> def bank(c, theta, down=np.mgrid[-4:5, -4:5][0], across=np.mgrid[-4:5, -4:5][1]):
-- ...     u = across * np.cos(theta) + down * np.sin(theta)
-- ...     k = np.exp(-(down**2 + across**2) / 8) * np.cos(2 * np.pi * u / 4)
-- ...     return ndimage.correlate(c, k, mode="mirror")
-- >>> y = np.stack([bank(c, i * np.pi / 4) for c in x for i in range(4)])

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
