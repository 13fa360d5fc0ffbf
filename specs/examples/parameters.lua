-- Parameters, set on the command line: convc run specs/examples/parameters.lua -D K=5 -D PAD=full

local k = convc.param("K", 3)

return convc.conv {
    input = { 1, 8, convc.param("H", 16), convc.param("W", 16) },
    out_channels = 8,
    kernel_size = k,
    padding = convc.param("PAD", "same"),
}
