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

return mobile
