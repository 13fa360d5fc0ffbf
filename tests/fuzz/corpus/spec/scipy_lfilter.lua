-- A filter of finite response, causal: no output sees what comes after it.
--
-- >>> y = signal.lfilter([0.5, 0.25, 0.125, 0.125], [1], x)

return convc.conv {
    input = { 1, 1, 64 },
    weights = { 0.5, 0.25, 0.125, 0.125 },
    flip = true,
    padding = { { 3, 0 } },
}
