-- Inception-v3: Szegedy, Vanhoucke, Ioffe, Shlens, Wojna, "Rethinking the Inception architecture
-- for computer vision", 2015, table 1, as the reference implementations have it (TensorFlow slim,
-- torchvision), without the auxiliary head. 94 convolutions; torchvision counts 5.713 GMAC.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("H", 299), convc.param("W", 299) } }

local function conv(name, out, kernel, options)
    options = options or {}
    n.conv(name, { out_channels = out, kernel_size = kernel, stride = options.stride or 1,
                   padding = options.padding or 0, activation = "relu" })
end

-- Each branch is a list of { name, out, kernel, options }; their outputs lie side by side.
local function block(name, branches, kept)
    local back, total, after = n.mark(), kept or 0, nil
    for _, branch in ipairs(branches) do
        back()
        for _, layer in ipairs(branch) do
            conv(name .. "." .. layer[1], layer[2], layer[3], layer[4])
        end
        total, after = total + n.channels(), n.mark()
    end
    after()
    n.join(total)
end

local halve, around1, around2 = { stride = 2 }, { padding = 1 }, { padding = 2 }
local row7, column7 = { padding = { 0, 3 } }, { padding = { 3, 0 } }
local row3, column3 = { padding = { 0, 1 } }, { padding = { 1, 0 } }

local function a(name, pool)
    block(name, {
        { { "branch1x1", 64, 1 } },
        { { "branch5x5_1", 48, 1 }, { "branch5x5_2", 64, 5, around2 } },
        { { "branch3x3dbl_1", 64, 1 }, { "branch3x3dbl_2", 96, 3, around1 },
          { "branch3x3dbl_3", 96, 3, around1 } },
        { { "branch_pool", pool, 1 } },
    })
end

local function c(name, narrow)
    block(name, {
        { { "branch1x1", 192, 1 } },
        { { "branch7x7_1", narrow, 1 }, { "branch7x7_2", narrow, { 1, 7 }, row7 },
          { "branch7x7_3", 192, { 7, 1 }, column7 } },
        { { "branch7x7dbl_1", narrow, 1 }, { "branch7x7dbl_2", narrow, { 7, 1 }, column7 },
          { "branch7x7dbl_3", narrow, { 1, 7 }, row7 },
          { "branch7x7dbl_4", narrow, { 7, 1 }, column7 },
          { "branch7x7dbl_5", 192, { 1, 7 }, row7 } },
        { { "branch_pool", 192, 1 } },
    })
end

-- A 1x3 and a 3x1 side by side, on the same input.
local function fork(name)
    local back = n.mark()
    conv(name .. "a", 384, { 1, 3 }, row3)
    back()
    conv(name .. "b", 384, { 3, 1 }, column3)
end

local function e(name)
    local back = n.mark()
    conv(name .. ".branch1x1", 320, 1)
    back()
    conv(name .. ".branch3x3_1", 384, 1)
    fork(name .. ".branch3x3_2")
    back()
    conv(name .. ".branch3x3dbl_1", 448, 1)
    conv(name .. ".branch3x3dbl_2", 384, 3, around1)
    fork(name .. ".branch3x3dbl_3")
    back()
    conv(name .. ".branch_pool", 192, 1)
    n.join(320 + 2 * 384 + 2 * 384 + 192)
end

conv("Conv2d_1a_3x3", 32, 3, halve)
conv("Conv2d_2a_3x3", 32, 3)
conv("Conv2d_2b_3x3", 64, 3, around1)
n.pool { kernel_size = 3, stride = 2 }
conv("Conv2d_3b_1x1", 80, 1)
conv("Conv2d_4a_3x3", 192, 3)
n.pool { kernel_size = 3, stride = 2 }
a("Mixed_5b", 32)
a("Mixed_5c", 64)
a("Mixed_5d", 64)
block("Mixed_6a", { -- and the pooled input
    { { "branch3x3", 384, 3, halve } },
    { { "branch3x3dbl_1", 64, 1 }, { "branch3x3dbl_2", 96, 3, around1 },
      { "branch3x3dbl_3", 96, 3, halve } },
}, n.channels())
c("Mixed_6b", 128)
c("Mixed_6c", 160)
c("Mixed_6d", 160)
c("Mixed_6e", 192)
block("Mixed_7a", { -- and the pooled input
    { { "branch3x3_1", 192, 1 }, { "branch3x3_2", 320, 3, halve } },
    { { "branch7x7x3_1", 192, 1 }, { "branch7x7x3_2", 192, { 1, 7 }, row7 },
      { "branch7x7x3_3", 192, { 7, 1 }, column7 }, { "branch7x7x3_4", 192, 3, halve } },
}, n.channels())
e("Mixed_7b")
e("Mixed_7c")
return n.layers
