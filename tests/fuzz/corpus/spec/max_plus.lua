-- The maximum of x + w in the place of the sum of x * w: dilation of mathematical morphology. Under
-- "identity" taps outside of the picture are left out, so that they cannot be the maximum.
local function max_plus(name, fields)
    fields.name = name
    fields.combine = function(x, w) return x + w end
    fields.reduce = "max"
    fields.padding_mode = fields.padding_mode or "identity"
    return convc.conv(fields)
end

return {
    max_plus("picture", { input = { 1, 3, 60, 80 }, out_channels = 3, groups = 3, kernel_size = 5,
        padding = 2, layout = "nchw" }),
    max_plus("dense", { input = { 1, 16, 28, 28 }, out_channels = 32, kernel_size = 3,
        padding = 1 }),
    max_plus("strided", { input = { 1, 16, 28, 28 }, out_channels = 24, kernel_size = 3,
        padding = 1, stride = 2, layout = "nchw" }),
    max_plus("signal", { input = { 2, 8, 100 }, out_channels = 8, groups = 8, kernel_size = 9,
        padding = "same", padding_mode = "reflect" }),
    max_plus("volume", { input = { 1, 4, 6, 9, 10 }, out_channels = 4, kernel_size = { 1, 3, 3 },
        dilation = 2, padding = { 0, 2, 2 } }),
}
