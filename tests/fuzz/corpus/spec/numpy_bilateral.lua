-- A bilateral filter: a mean over the window in which a pixel counts less the farther it is, and
-- the more it differs.
--
-- >>> v = sliding_window_view(np.pad(x, 2, "edge"), (5, 5))
-- >>> i, j = np.mgrid[-2:3, -2:3]
-- >>> k = np.exp(-(i**2 + j**2) / 4 - (v - x[..., None, None])**2 / 0.18)
-- >>> y = (k * v).sum(axis=(-1, -2)) / k.sum(axis=(-1, -2))

return convc.conv {
    input = { 1, 1, 31, 44 },
    kernel_size = 5,
    padding = 2,
    padding_mode = "replicate",
    window = function(x)
        local above, below = {}, {}
        for i = 0, 4 do
            for j = 0, 4 do
                local apart = ((i - 2) ^ 2 + (j - 2) ^ 2) / 4
                local k = convc.exp(-apart - (x(i, j) - x(2, 2)) ^ 2 / 0.18)
                above[#above + 1] = k * x(i, j)
                below[#below + 1] = k
            end
        end
        return convc.sum(above) / convc.sum(below)
    end,
}
