-- Single convolutions as rows of a table, for classes of shapes.
--
--     local cases = require "cases"
--     return cases.list {
--         { "resnext50", 128, 56, 128, 3, groups = 32 },
--     }
--
-- A row: where it comes from, input channels, size, output channels, kernel. A number as size or
-- kernel is that of both axes; a list has one for each of 1 to 3 axes. By name: stride, dilation,
-- groups, padding (as much as keeps the size at stride 1, where left out; one more at the end for
-- even kernels), activation. Names tell the shape: resnext50:128to128.56x56.k3x3.g32
--
-- Parameters: N, LAYOUT, DTYPE. Every convolution has a bias.

local cases = {}

local function axes(value, count)
    if type(value) == "table" then return value end
    local all = {}
    for a = 1, count do all[a] = value end
    return all
end

-- "" for all 1, "3" for all 3, "1x7" for others, with a letter in front.
local function suffix(letter, value, count)
    local all, same, ones = axes(value, count), true, true
    for _, v in ipairs(all) do
        same = same and v == all[1]
        ones = ones and v == 1
    end
    if ones then return "" end
    return "." .. letter .. (same and all[1] or table.concat(all, "x"))
end

local function centred(size, kernel, dilation)
    local pads = {}
    for a = 1, #size do
        local total = dilation[a] * (kernel[a] - 1)
        pads[a] = { total // 2, total - total // 2 }
    end
    return pads
end

-- layout: that of LAYOUT where it is not given, "nhwc" where left out.
function cases.list(rows, layout)
    local batch = convc.param("N", 1)
    local dtype = convc.param("DTYPE", "f32")
    layout = convc.param("LAYOUT", layout or "nhwc")
    local list = {}
    for i, row in ipairs(rows) do
        local origin, channels, size, out, kernel = table.unpack(row)
        size = type(size) == "table" and size or { size, size }
        local dims = #size
        kernel = axes(kernel, dims)
        local dilation, stride, groups = row.dilation or 1, row.stride or 1, row.groups or 1
        list[i] = convc.conv {
            name = origin .. ":" .. channels .. "to" .. out .. "." .. table.concat(size, "x") ..
                   ".k" .. table.concat(kernel, "x") .. suffix("s", stride, dims) ..
                   suffix("d", dilation, dims) .. (groups > 1 and ".g" .. groups or "") ..
                   (row.padding and ".p" .. row.padding or ""),
            input = { batch, channels, table.unpack(size) },
            out_channels = out,
            kernel_size = kernel,
            stride = stride,
            dilation = dilation,
            groups = groups,
            padding = row.padding or centred(size, kernel, axes(dilation, dims)),
            bias = true,
            activation = row.activation,
            layout = layout,
            dtype = dtype,
        }
    end
    return list
end

return cases
