-- Hampel's filter of a signal: what is farther from the median around it than three times the usual
-- (the median of these distances, 1.4826 of which are a standard deviation) is replaced by it.
--
-- >>> v = sliding_window_view(np.pad(x, 3, "symmetric"), 7)
-- >>> m = np.median(v, axis=-1)
-- >>> usual = 1.4826 * np.median(abs(v - m[:, None]), axis=-1)
-- >>> y = np.where(abs(x - m) > 3 * usual, m, x)

return convc.conv {
    input = { 1, 1, 500 },
    kernel_size = 7,
    padding = 3,
    padding_mode = "symmetric",
    window = function(x)
        local t = convc.taps(x)
        local m = convc.median(t)
        for i = 1, #t do t[i] = convc.abs(t[i] - m) end
        return convc.where(convc.gt(convc.abs(x(3) - m), 3 * 1.4826 * convc.median(t)), m, x(3))
    end,
}
