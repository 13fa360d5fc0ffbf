-- Kirsch's eight kernels over every channel: the strongest answer says where an edge is bright. Of
-- every channel the output has eight: written as .npy. H, W and C: the picture.
--
-- >>> rim = [(0, 0), (0, 1), (0, 2), (1, 2), (2, 2), (2, 1), (2, 0), (1, 0)]
-- >>> def kirsch(turn):
-- ...     k = np.array([[-3, -3, -3], [-3, 0, -3], [-3, -3, -3]])
-- ...     k[tuple(zip(*(rim[(turn + i) % 8] for i in range(3))))] = 5
-- ...     return k
-- >>> y = np.stack([ndimage.correlate(c, kirsch(i), mode="nearest") for c in x for i in range(8)])

local bank = {}
for i, direction in ipairs { "n", "ne", "e", "se", "s", "sw", "w", "nw" } do
    bank[i] = convc.filters.kirsch(direction)
end

return convc.conv {
    input = { 1, convc.param("C", 1), convc.param("H", 270), convc.param("W", 480) },
    weights = { list = bank },
    padding = "same",
    padding_mode = "replicate",
}
