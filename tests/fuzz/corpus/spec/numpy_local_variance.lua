-- numpy.var of every window, in double precision.
--
-- >>> y = sliding_window_view(x, (3, 3)).var(axis=(-1, -2))

return convc.conv {
    input = { 1, 1, 30, 41 },
    kernel_size = 3,
    dtype = "f64",
    window = function(x)
        local t = convc.taps(x)
        local mean = convc.mean(t)
        for i = 1, #t do t[i] = (t[i] - mean) ^ 2 end
        return convc.mean(t)
    end,
}
