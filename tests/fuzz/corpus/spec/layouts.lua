-- The same convolution in both memory layouts and both types. `input` is N, C, H, W in each.

local list = {}
for _, layout in ipairs { "nhwc", "nchw" } do
    for _, dtype in ipairs { "f32", "f64" } do
        list[#list + 1] = convc.conv {
            name = layout .. "_" .. dtype,
            input = { 2, 12, 11, 11 },
            out_channels = 20,
            kernel_size = 3,
            padding = 1,
            layout = layout,
            dtype = dtype,
        }
    end
end
return list
