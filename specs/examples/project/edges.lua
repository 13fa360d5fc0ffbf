-- Edges in all directions, of a grey picture of bytes: what differs from its surroundings.
return convc.conv {
    name = "edges",
    input = { 1, 1, convc.param("H", 270), convc.param("W", 480) },
    weights = convc.filters.edge_detect,
    padding = "same",
    padding_mode = "replicate",
    dtype = "u8",
}
