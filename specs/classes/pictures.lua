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

local BYTES = { src = "u8", acc = DTYPE, dst = "u8" }

local function bytes(name, weights) return filter(name .. ".u8", weights, BYTES) end

local function plus(x, w) return x + w end

local function median(x) return convc.median(convc.taps(x)) end

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
    picture("median3x3", { kernel_size = 3, window = median }),
    filter("sobel3x3.u8_s16", convc.filters.sobel_x, { src = "u8", acc = DTYPE, dst = "s16" }),
    bytes("gaussian5x5", convc.filters.gaussian(5, 1.1)),
    bytes("gaussian3x3", convc.filters.gaussian(3, 0.8)),
    bytes("gaussian7x7", convc.filters.gaussian(7, 1.5)),
    bytes("box3x3", convc.filters.box(3)),
    bytes("box5x5", convc.filters.box(5)),
    bytes("sobel3x3", convc.filters.sobel_x),
    bytes("sharpen3x3", convc.filters.sharpen),
    picture("dilation3x3.u8", {
        weights = { { 0, 0, 0 }, { 0, 0, 0 }, { 0, 0, 0 } }, dtype = BYTES,
        combine = plus, reduce = "max",
    }),
    picture("median3x3.u8", { kernel_size = 3, window = median, dtype = BYTES }),
    picture("median5x5.u8", { kernel_size = 5, window = median, dtype = BYTES }),
}
