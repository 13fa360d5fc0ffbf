-- EfficientNet-B0 as a backbone, for the network itself and for EfficientDet.

local mobile = require "mobile"
local efficientnet = {}

-- Stem and blocks; returns the marks behind the stages, by their number from 1 to 7. Pads as
-- TensorFlow, where the network comes from: one more at the end where the stride is 2.
function efficientnet.b0(n)
    n.conv("stem", { out_channels = 32, kernel_size = 3, stride = 2, padding = "same",
                     activation = "silu" })
    --                  expand kernel  out  times  stride
    local table_1 = { { 1,     3,      16,  1,     1 },
                      { 6,     3,      24,  2,     2 },
                      { 6,     5,      40,  2,     2 },
                      { 6,     3,      80,  3,     2 },
                      { 6,     5,     112,  3,     1 },
                      { 6,     5,     192,  4,     2 },
                      { 6,     3,     320,  1,     1 } }
    return mobile.stages(n, "block", table_1, {
        padding = "same",
        activation = "silu",
        squeeze = 4,
        squeeze_activation = "silu",
        gate = "sigmoid",
    })
end

return efficientnet
