-- One picture, one filter: as many bytes as arithmetic, so that memory is the measure:
-- convc bench specs/classes/pictures.lua --peers memcpy,opencv --threads 1
-- H and W: the picture. Common: N, LAYOUT, DTYPE, the type of sums and of pictures of reals.

local H, W = convc.param("H", 1080), convc.param("W", 1920)
local N, LAYOUT, DTYPE = convc.param("N", 1), convc.param("LAYOUT", "nhwc"),
    convc.param("DTYPE", "f32")

local function picture(name, fields)
    fields.name = name .. "." .. H .. "x" .. W
    fields.input = { N, 1, H, W }
    fields.layout = LAYOUT
    fields.dtype = fields.dtype or DTYPE
    fields.out_channels = 1
    fields.padding = fields.padding or "same"
    fields.padding_mode = fields.padding_mode or "replicate"
    return convc.conv(fields)
end

local function filter(name, weights, dtype)
    return picture(name, { weights = weights, dtype = dtype })
end

local function plus(x, w) return x + w end

-- 49 weights that have no symmetry and are no product of two factors.
local dense = {}
for i = 1, 7 do
    dense[i] = {}
    for j = 1, 7 do dense[i][j] = (i * i * 5 + j * 11 + i * j * j) % 17 / 64 - 0.1 end
end

return {
    filter("sobel3x3", convc.filters.sobel_x),
    picture("dilation3x3", {
        weights = { { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 } },
        combine = plus, reduce = "max", padding_mode = "identity",
    }),
    filter("gaussian5x5", convc.filters.gaussian(5, 1.1)),
    picture("max_plus3x3", {
        kernel_size = 3, combine = plus, reduce = "max", padding_mode = "identity",
    }),
    filter("dense7x7", dense),
    picture("median3x3", {
        kernel_size = 3, window = function(x) return convc.median(convc.taps(x)) end,
    }),
    filter("sobel3x3.u8_s16", convc.filters.sobel_x, { src = "u8", acc = DTYPE, dst = "s16" }),
    filter("gaussian5x5.u8", convc.filters.gaussian(5, 1.1),
        { src = "u8", acc = DTYPE, dst = "u8" }),
}
