-- Local normalisation: each pixel less the mean around it, in standard deviations there.
--
-- >>> v = sliding_window_view(np.pad(x, 2, "reflect"), (5, 5))
-- >>> y = (x - v.mean(axis=(-1, -2))) / np.sqrt(v.var(axis=(-1, -2)) + 0.01)

return convc.conv {
    input = { 1, 1, 28, 45 },
    kernel_size = 5,
    padding = 2,
    padding_mode = "reflect",
    window = function(x)
        local t = convc.taps(x)
        local mean = convc.mean(t)
        for i = 1, #t do t[i] = (t[i] - mean) ^ 2 end
        return (x(2, 2) - mean) / convc.sqrt(convc.mean(t) + 0.01)
    end,
}
