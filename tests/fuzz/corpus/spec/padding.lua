-- Every spelling of padding, on an even kernel, where they differ most.

local function conv(name, padding)
    return convc.conv {
        name = name,
        input = { 1, 8, 13, 17 },
        out_channels = 16,
        kernel_size = 4,
        padding = padding,
    }
end

return {
    conv("none", 0),
    conv("all_around", 2),
    conv("per_axis", { 1, 2 }),                 -- H, W
    conv("per_end", { { 0, 1 }, { 2, 3 } }),    -- {begin, end} of H, of W
    conv("valid", "valid"),                     -- none
    conv("same", "same"),                       -- the odd one at the end
    conv("same_lower", "same_lower"),           -- the odd one at the beginning
    conv("full", "full"),                       -- every position where the kernel touches the input
}
