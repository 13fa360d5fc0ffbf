-- Every activation. The output is activation(sum + bias + residual).

local list = {}
for i, activation in ipairs { "relu", { "clamp", 0, 6 }, { "leaky_relu", 0.01 }, "sigmoid", "tanh",
                              "silu", "gelu", "hardswish" } do
    list[i] = convc.conv {
        name = type(activation) == "table" and activation[1] or activation,
        input = { 1, 16, 9, 9 },
        out_channels = 16,
        kernel_size = 3,
        padding = 1,
        bias = true,
        activation = activation,
    }
end
return list
