-- Weights for pictures, whose channels are grey or red, green, blue, and with 2 or 4 of them alpha
-- behind: what a filter makes of the colours, alpha passes by.

local picture = {}

-- How many channels are colours.
function picture.colours(channels)
    return (channels == 2 or channels == 4) and channels - 1 or channels
end

-- A kernel of the size of `like` that gives what it is given, at "same_lower".
local function identity(like)
    local kernel = {}
    for i = 1, #like do
        kernel[i] = {}
        for j = 1, #like[i] do kernel[i][j] = 0 end
    end
    kernel[#like // 2 + 1][#like[1] // 2 + 1] = 1
    return kernel
end

-- Over each colour, `kernel`.
function picture.each(channels, kernel)
    if picture.colours(channels) == channels then return kernel end
    local weights = {}
    for c = 1, channels - 1 do weights[c] = { kernel } end
    weights[channels] = { identity(kernel) }
    return weights
end

-- Over each colour, the window `f` of size x size; returns it and the weights that tell alpha.
function picture.window(channels, size, f)
    if picture.colours(channels) == channels then return f end
    local ones = {}
    for i = 1, size do
        ones[i] = {}
        for j = 1, size do ones[i][j] = 1 end
    end
    local function window(x, w)
        return convc.where(convc.eq(w(0, 0), 1), f(x), x(size // 2, size // 2))
    end
    return window, picture.each(channels, ones)
end

local function scaled(kernel, by)
    local result = {}
    for i = 1, #kernel do
        result[i] = {}
        for j = 1, #kernel[i] do result[i][j] = by * kernel[i][j] end
    end
    return result
end

-- rows[o][c]: how much of the colour c goes into the colour o, through kernels[o]; through none
-- where there are no kernels. Grey counts as three colours that are equal.
function picture.mix(channels, rows, kernels)
    local colours, weights = picture.colours(channels), {}
    for o = 1, #rows do
        local row, kernel = rows[o], kernels and kernels[o] or { { 1 } }
        if colours == 1 then row = { row[1] + row[2] + row[3] } end
        weights[o] = {}
        for c = 1, colours do weights[o][c] = scaled(kernel, row[c]) end
        if colours < channels then weights[o][channels] = scaled(kernel, 0) end
    end
    if colours < channels then
        local like = weights[1][1]
        weights[#rows + 1] = {}
        for c = 1, colours do weights[#rows + 1][c] = scaled(like, 0) end
        weights[#rows + 1][channels] = identity(like)
    end
    return weights
end

return picture
