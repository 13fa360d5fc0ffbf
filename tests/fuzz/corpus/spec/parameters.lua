-- Parameters, set on the command line: convc run specs/examples/parameters.lua -D K=5 -D PAD=full
--
-- >>> p = np.pad(x, ((0, 0), (1, 1), (1, 1)))
-- >>> y = np.stack([signal.correlate(p, k, "valid")[0] for k in w])

local k = convc.param("K", 3)

return convc.conv {
    input = { 1, 8, convc.param("H", 16), convc.param("W", 16) },
    out_channels = 8,
    kernel_size = k,
    padding = convc.param("PAD", "same"),
}
