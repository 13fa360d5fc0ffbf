-- Constant weights. Their nesting says what they are; out_channels, kernel_size and groups follow.

local mean = { { 1, 1 }, { 1, 1 } }
local dx, dy = { { -1, 1 }, { 0, 0 } }, { { -1, 0 }, { 1, 0 } }

return {
    -- as many levels as axes: the same kernel for every channel
    convc.conv { name = "each", input = { 1, 3, 16, 16 }, weights = mean },
    -- a list of such: several filters over each channel, output channel 2c + 0 and 2c + 1
    convc.conv { name = "pair", input = { 1, 3, 16, 16 }, weights = { list = { dx, dy } } },
    -- two levels more: [out channel][channel in group][kernel]
    convc.conv { name = "full", input = { 1, 2, 16, 16 },
                 weights = { { dx, dy }, { dy, dx }, { mean, mean } } },
}
