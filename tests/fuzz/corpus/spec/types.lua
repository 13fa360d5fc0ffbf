-- Pictures: whole numbers in memory, u8, s16 or u16, on either side; reals in between. What is
-- stored is rounded to the nearest (of two as near, to the even one) and held within its type.

local function conv(name, dtype, weights)
    return convc.conv {
        name = name,
        input = { 1, 3, 24, 31 },
        weights = weights,
        padding = "same",
        padding_mode = "replicate",
        dtype = dtype,
    }
end

local sobel, blur = convc.filters.sobel_x, convc.filters.gaussian(5, 1)
return {
    -- one name for input and output
    conv("blurred", "u8", blur),
    conv("deep", "u16", blur),
    -- a derivative has a sign: -1020 to 1020 fits s16, and is exact
    conv("derivative", { src = "u8", dst = "s16" }, sobel),
    -- what is left out is f32
    conv("to_reals", { src = "u8" }, sobel),
    conv("from_reals", { dst = "u8" }, blur),
    -- sums of whole numbers beyond 2^24 are exact in f64
    conv("exact", { src = "u16", dst = "s16", acc = "f64" }, sobel),
}
