-- Residual networks: the blocks that ResNet, Wide ResNet, ResNeXt, R3D and DeepLab share.

local resnet = {}

-- 1x1 to `width` channels, 3x3 in groups, 1x1 to `out` channels, and the shortcut added before the
-- last activation. A shortcut whose shape would not fit is a 1x1 convolution of its own.
--
-- block: width, out, stride, dilation, groups, stride_first (the stride is that of the first 1x1)
function resnet.bottleneck(n, name, block)
    local first = block.stride_first and block.stride or 1
    local second = block.stride_first and 1 or block.stride
    local back = n.mark()
    if block.stride ~= 1 or n.channels() ~= block.out then
        n.conv(name .. ".downsample",
               { out_channels = block.out, kernel_size = 1, stride = block.stride })
        back()
    end
    n.conv(name .. ".conv1",
           { out_channels = block.width, kernel_size = 1, stride = first, activation = "relu" })
    n.conv(name .. ".conv2",
           { out_channels = block.width, kernel_size = 3, stride = second, groups = block.groups,
             padding = block.dilation, dilation = block.dilation, activation = "relu" })
    n.conv(name .. ".conv3",
           { out_channels = block.out, kernel_size = 1, residual = true, activation = "relu" })
end

-- Two 3x3 (3x3x3), and the shortcut added before the last activation.
function resnet.basic(n, name, out, stride)
    local back = n.mark()
    if stride ~= 1 or n.channels() ~= out then
        n.conv(name .. ".downsample", { out_channels = out, kernel_size = 1, stride = stride })
        back()
    end
    n.conv(name .. ".conv1",
           { out_channels = out, kernel_size = 3, stride = stride, padding = 1,
             activation = "relu" })
    n.conv(name .. ".conv2",
           { out_channels = out, kernel_size = 3, padding = 1, residual = true,
             activation = "relu" })
end

-- The four stages of basic blocks; depths: how many in each.
function resnet.basic_stages(n, depths)
    for stage, out in ipairs { 64, 128, 256, 512 } do
        for i = 1, depths[stage] do
            resnet.basic(n, "layer" .. stage .. "." .. i - 1, out, i == 1 and stage > 1 and 2 or 1)
        end
    end
end

-- The 7x7 stem and its pooling.
function resnet.stem(n)
    n.conv("conv1",
           { out_channels = 64, kernel_size = 7, stride = 2, padding = 3, activation = "relu" })
    n.pool { kernel_size = 3, stride = 2, padding = 1 }
end

-- `blocks` blocks, the first of which has the stride and may have a dilation of its own.
function resnet.stage(n, name, stage)
    for i = 1, stage.blocks do
        resnet.bottleneck(n, name .. "." .. i - 1, {
            width = stage.width,
            out = stage.out,
            groups = stage.groups or 1,
            stride = i == 1 and stage.stride or 1,
            dilation = i == 1 and stage.first_dilation or stage.dilation or 1,
            stride_first = stage.stride_first,
        })
    end
end

return resnet
