-- Normalised cross-correlation: how much each window looks like the weights, from -1 to 1, however
-- bright it is.
--
-- >>> v = sliding_window_view(x, (5, 5))
-- >>> y = (v * w[0, 0]).sum(axis=(-1, -2))
-- >>> y = y / np.sqrt((v**2).sum(axis=(-1, -2)) * (w**2).sum())

return convc.conv {
    input = { 1, 1, 40, 52 },
    kernel_size = 5,
    window = function(x, w)
        local xs, ws, xw, xx, ww = convc.taps(x), convc.taps(w), {}, {}, {}
        for i = 1, #xs do xw[i], xx[i], ww[i] = xs[i] * ws[i], xs[i] ^ 2, ws[i] ^ 2 end
        return convc.sum(xw) / convc.sqrt(convc.sum(xx) * convc.sum(ww))
    end,
}
