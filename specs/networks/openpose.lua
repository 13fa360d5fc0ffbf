-- OpenPose for COCO: Cao, Simon, Wei, Sheikh, "Realtime multi-person 2D pose estimation using part
-- affinity fields", 2016, figure 3, as the authors' pose_deploy_linevec.prototxt has it: ten layers
-- of VGG-19, then six stages of two branches, 7x7 from the second on. 92 convolutions of 52.3
-- million parameters (the authors' file is 209 MB). The usual input is H=368 W=368.

local net = require "net"

local n = net.new { channels = 3, size = { convc.param("H", 184), convc.param("W", 184) } }

local function conv(name, out, kernel)
    n.conv(name, { out_channels = out, kernel_size = kernel, padding = kernel // 2,
                   activation = "relu" })
end

for stage, row in ipairs { { 64, 2 }, { 128, 2 }, { 256, 4 }, { 512, 2 } } do
    for i = 1, row[2] do conv("conv" .. stage .. "_" .. i, row[1], 3) end
    if stage < 4 then n.pool { kernel_size = 2, stride = 2 } end
end
conv("conv4_3_CPM", 256, 3)
conv("conv4_4_CPM", 128, 3)
for stage = 1, 6 do
    local back = n.mark()
    for branch, out in ipairs { 38, 19 } do -- affinity fields, confidence maps
        local name = "stage" .. stage .. "_L" .. branch
        back()
        for i = 1, stage == 1 and 3 or 5 do
            conv(name .. ".conv" .. i, 128, stage == 1 and 3 or 7)
        end
        conv(name .. ".wide", stage == 1 and 512 or 128, 1)
        n.conv(name .. ".out", { out_channels = out, kernel_size = 1 })
    end
    n.join(128 + 38 + 19)
end
return n.layers
