-- A kernel of one's own over a picture that numpy.pad has made larger. The reflected border is the
-- one that needs no values from nowhere and repeats none at the edge.
--
-- PAD: constant | reflect | symmetric | edge | wrap
-- >>> k = [[1, 0, 2], [0, 3, -1], [-2, 1, 1]]
-- >>> y = signal.correlate2d(np.pad(x, 1, mode=PAD), k, "valid")

local mode = { constant = "zeros", edge = "replicate", wrap = "circular" }
local pad = convc.param("PAD", "reflect")

return convc.conv {
    input = { 1, 1, 18, 21 },
    weights = { { 1, 0, 2 }, { 0, 3, -1 }, { -2, 1, 1 } },
    padding = 1,
    padding_mode = mode[pad] or pad, -- reflect and symmetric are called so here too
}
