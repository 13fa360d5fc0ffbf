-- wav2vec 2.0 base: Baevski, Zhou, Mohamed, Auli, "wav2vec 2.0: a framework for self-supervised
-- learning of speech representations", 2020, section 4.2. 1-D over T samples at 16 kHz: seven
-- convolutions, one frame every 20 ms (49 of one second), and the positional embedding of the
-- transformer, with a kernel of 128 in 16 groups. The transformer has no others.

local net = require "net"

local n = net.new { channels = 1, size = { convc.param("T", 16000) } }

local strides = { 5, 2, 2, 2, 2, 2, 2 }
for i, kernel in ipairs { 10, 3, 3, 3, 3, 2, 2 } do
    n.conv("feature" .. i - 1,
           { out_channels = 512, kernel_size = kernel, stride = strides[i], bias = false,
             activation = i > 1 and "gelu" or nil }) -- the first is normalised over the time
end
n.join(768) -- a linear layer
n.conv("position", { out_channels = 768, kernel_size = 128, groups = 16, padding = 64,
                     activation = "gelu" })
return n.layers
