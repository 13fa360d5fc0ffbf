-- The inverted residual, of which MobileNet-v2 and v3, MnasNet and EfficientNet are built.

local mobile = {}

-- 1x1 to `wide` channels (where there are not as many already), depthwise, squeeze and excitation,
-- linear 1x1 to `out`; a shortcut where the shape stays.
--
-- block: wide, out, kernel, stride, padding (half the kernel where left out), activation,
--        squeeze (inner channels; nil for none), squeeze_activation, gate
function mobile.inverted_residual(n, name, block)
    local channels, wide = n.channels(), block.wide
    if wide ~= channels then
        n.conv(name .. ".expand",
               { out_channels = wide, kernel_size = 1, activation = block.activation })
    end
    n.conv(name .. ".depthwise",
           { out_channels = wide, groups = wide, kernel_size = block.kernel,
             stride = block.stride, padding = block.padding or block.kernel // 2,
             activation = block.activation })
    if block.squeeze then
        n.squeeze(name .. ".squeeze", block.squeeze, block.squeeze_activation, block.gate)
    end
    n.conv(name .. ".project",
           { out_channels = block.out, kernel_size = 1,
             residual = block.stride == 1 and channels == block.out })
end

-- Stages of inverted residuals, row by row of `stages`: { expand, kernel, out, times, stride }, the
-- stride that of the first one. They are called `name`, the stage's number, ".", and theirs from 0.
-- `more` holds further fields of a block; squeeze divides the channels that come in. Returns
-- the marks behind the stages.
function mobile.stages(n, name, stages, more)
    local marks = {}
    for stage, row in ipairs(stages) do
        for k = 1, row[4] do
            mobile.inverted_residual(n, name .. stage .. "." .. k - 1, {
                wide = n.channels() * row[1],
                kernel = row[2],
                out = row[3],
                stride = k == 1 and row[5] or 1,
                padding = more.padding,
                activation = more.activation,
                squeeze = more.squeeze and n.channels() // more.squeeze,
                squeeze_activation = more.squeeze_activation,
                gate = more.gate,
            })
        end
        marks[stage] = n.mark()
    end
    return marks
end

return mobile
