-- convc.filters: kernels for `weights`, as correlation takes them. Where values grow to the right,
-- what ends in _x answers positively; where they grow downward, what ends in _y. Whole numbers are
-- not scaled. Runs once before the prelude; a wrong argument gets one sentence.

local error, type, next, select, floor = error, type, next, select, math.floor

local filters = {
    identity = { { 0, 0, 0 }, { 0, 1, 0 }, { 0, 0, 0 } },
    -- Sobel and Feldman 1968; 8 times the slope.
    sobel_x = { { -1, 0, 1 }, { -2, 0, 2 }, { -1, 0, 1 } },
    sobel_y = { { -1, -2, -1 }, { 0, 0, 0 }, { 1, 2, 1 } },
    -- Scharr, Optimale Operatoren in der Digitalen Bildverarbeitung, 2000; 32 times the slope.
    scharr_x = { { -3, 0, 3 }, { -10, 0, 10 }, { -3, 0, 3 } },
    scharr_y = { { -3, -10, -3 }, { 0, 0, 0 }, { 3, 10, 3 } },
    -- Prewitt, Object Enhancement and Extraction, 1970; 6 times the slope.
    prewitt_x = { { -1, 0, 1 }, { -1, 0, 1 }, { -1, 0, 1 } },
    prewitt_y = { { -1, -1, -1 }, { 0, 0, 0 }, { 1, 1, 1 } },
    -- Roberts, Machine Perception of Three-Dimensional Solids, 1963: along the two diagonals.
    roberts_x = { { 1, 0 }, { 0, -1 } },
    roberts_y = { { 0, 1 }, { -1, 0 } },
    -- Gonzalez and Woods, Digital Image Processing: with 4 neighbours, and with 8.
    laplacian = { { 0, 1, 0 }, { 1, -4, 1 }, { 0, 1, 0 } },
    laplacian_8 = { { 1, 1, 1 }, { 1, -8, 1 }, { 1, 1, 1 } },
    -- The identity less `laplacian`; sums to 1.
    sharpen = { { 0, -1, 0 }, { -1, 5, -1 }, { 0, -1, 0 } },
    -- Minus `laplacian_8`.
    edge_detect = { { -1, -1, -1 }, { -1, 8, -1 }, { -1, -1, -1 } },
    -- The identity and a slope along the diagonal; sums to 1.
    emboss = { { -2, -1, 0 }, { -1, 1, 1 }, { 0, 1, 2 } },
}

local function demand(condition, name, sentence)
    if not condition then error("convc.filters." .. name .. ": " .. sentence, 0) end
end

local function is_number(value)
    return type(value) == "number" and value > -math.huge and value < math.huge
end

local function is_whole(value, least, most)
    return is_number(value) and value == floor(value) and value >= least and value <= most
end

local function check_size(name, n)
    demand(is_whole(n, 1, 255), name, "the size is a whole number from 1 to 255")
end

local function check_positive(name, what, value)
    demand(is_number(value) and value > 0, name, what .. " is a number above 0")
end

-- An n x n kernel of value(x, y), where (0, 0) is the middle; `n` may be even.
local function square(name, n, value)
    check_size(name, n)
    local kernel = {}
    for i = 1, n do
        kernel[i] = {}
        for j = 1, n do
            kernel[i][j] = value(j - (n + 1) / 2, i - (n + 1) / 2)
        end
    end
    return kernel
end

local function sum_of(kernel)
    local sum = 0
    for i = 1, #kernel do
        for j = 1, #kernel[i] do sum = sum + kernel[i][j] end
    end
    return sum
end

-- change(v) of every value; change(v, w) of those of two kernels of one size.
local function map(change, kernel, other)
    local result = {}
    for i = 1, #kernel do
        result[i] = {}
        for j = 1, #kernel[i] do
            result[i][j] = change(kernel[i][j], other and other[i][j])
        end
    end
    return result
end

local function outer(scale, list, ...)
    local product = {}
    for i = 1, #list do
        local v = scale * list[i]
        product[i] = select("#", ...) == 0 and v or outer(v, ...)
    end
    return product
end

-- The kernel that one list for each axis makes, column first: numpy.outer; OpenCV's sepFilter2D.
function filters.outer(...)
    demand(select("#", ...) >= 1 and select("#", ...) <= 3, "outer",
           "takes one list of numbers for each of 1 to 3 axes")
    for a = 1, select("#", ...) do
        local list = select(a, ...)
        demand(type(list) == "table" and #list > 0, "outer", "a value is no list of numbers")
        for i = 1, #list do
            demand(is_number(list[i]), "outer", "a value is no list of numbers")
        end
    end
    return outer(1, ...)
end

-- The mean of n values: scipy.ndimage.uniform_filter1d.
function filters.box_1d(n)
    check_size("box_1d", n)
    local kernel = {}
    for i = 1, n do kernel[i] = 1 / n end
    return kernel
end

-- The mean of n x n values: scipy.ndimage.uniform_filter.
function filters.box(n)
    return square("box", n, function() return 1 / (n * n) end)
end

-- The probabilists' Hermite polynomial He_k: He_k+1 = z He_k - k He_k-1.
local function hermite(k, z)
    local before, now = 0, 1
    for i = 1, k do before, now = now, z * now - (i - 1) * before end
    return now
end

-- scipy.ndimage.gaussian_filter1d of radius (n - 1) / 2: samples of a Gaussian that sum to 1, times
-- what differentiation of that order makes of it.
local function gaussian(name, n, sigma, order)
    check_size(name, n)
    check_positive(name, "sigma", sigma)
    local kernel, sum = {}, 0
    local near = n % 2 == 0 and 0.5 or 0 -- where 1 is taken, so that a small sigma leaves a sum
    for i = 1, n do
        local x = i - (n + 1) / 2
        kernel[i] = math.exp(-(x * x - near * near) / (2 * sigma) / sigma)
        sum = sum + kernel[i]
    end
    for i = 1, n do
        local z = (i - (n + 1) / 2) / sigma
        kernel[i] = kernel[i] / sum * hermite(order, z) / sigma ^ order
    end
    return kernel
end

function filters.gaussian_1d(n, sigma, order)
    order = order or 0
    demand(is_whole(order, 0, 20), "gaussian_1d", "the order is a whole number from 0 to 20")
    return gaussian("gaussian_1d", n, sigma, order)
end

-- gaussian, and its derivatives: scipy.ndimage.gaussian_filter with order = (down, across).
for name, order in next, {
    gaussian = { 0, 0 }, gaussian_x = { 0, 1 }, gaussian_y = { 1, 0 },
    gaussian_xx = { 0, 2 }, gaussian_yy = { 2, 0 }, gaussian_xy = { 1, 1 },
} do
    filters[name] = function(n, sigma)
        return outer(1, gaussian(name, n, sigma, order[1]), gaussian(name, n, sigma, order[2]))
    end
end

-- The Laplacian of a Gaussian, positive at the rim and negative in the middle: scipy.ndimage's
-- gaussian_laplace, less the mean, so that it sums to 0; MATLAB's fspecial("log").
function filters.log(n, sigma)
    local smooth, curved = gaussian("log", n, sigma, 0), gaussian("log", n, sigma, 2)
    local kernel = map(function(v, w) return v + w end, outer(1, smooth, curved),
                       outer(1, curved, smooth))
    local mean = sum_of(kernel) / (n * n)
    return map(function(v) return v - mean end, kernel)
end

-- A narrow Gaussian less a wide one (Marr and Hildreth 1980), positive in the middle. Sums to 0.
function filters.dog(n, sigma, wide)
    check_positive("dog", "sigma", sigma)
    demand(is_number(wide) and wide > sigma, "dog", "the second sigma is a number above the first")
    local inner, rim = gaussian("dog", n, sigma, 0), gaussian("dog", n, wide, 0)
    return map(function(v, w) return v - w end, outer(1, inner, inner), outer(1, rim, rim))
end

-- The picture and `amount` times what sets it apart from its blur: skimage.filters.unsharp_mask.
-- Sums to 1.
function filters.unsharp(n, sigma, amount)
    amount = amount or 1
    demand(is_whole(n, 1, 255) and n % 2 == 1, "unsharp", "the size is an odd number from 1 to 255")
    demand(is_number(amount), "unsharp", "the amount is a number")
    local blur = gaussian("unsharp", n, sigma, 0)
    local kernel = map(function(v) return -amount * v end, outer(1, blur, blur))
    local middle = (n + 1) // 2
    kernel[middle][middle] = kernel[middle][middle] + 1 + amount
    return kernel
end

-- Motion along a segment of n pixels, in the direction `theta` (radians, from x to y): a pixel
-- weighs 1 less its distance from it, as in MATLAB's fspecial("motion"). Sums to 1.
function filters.motion(n, theta)
    demand(is_number(theta), "motion", "theta is a number")
    local c, s = math.cos(theta), math.sin(theta)
    local kernel = square("motion", n, function(x, y)
        local beyond = math.max(math.abs(x * c + y * s) - (n - 1) / 2, 0)
        local weight = 1 - math.sqrt((y * c - x * s) ^ 2 + beyond ^ 2)
        return weight > 1e-9 and weight or 0 -- what rounding leaves is no tap
    end)
    local sum = sum_of(kernel)
    return map(function(v) return v / sum end, kernel)
end

-- A wave of length `lambda` along the direction `theta` (radians, from x to y), shifted by `psi`,
-- under a Gaussian that is `gamma` times as narrow along the wave's crests. It is getGaborKernel of
-- OpenCV, which counts psi the other way round.
function filters.gabor(n, sigma, theta, lambda, gamma, psi)
    gamma, psi = gamma or 1, psi or 0
    check_positive("gabor", "sigma", sigma)
    check_positive("gabor", "lambda", lambda)
    check_positive("gabor", "gamma", gamma)
    demand(is_number(theta) and is_number(psi), "gabor", "theta and psi are numbers")
    local c, s = math.cos(theta), math.sin(theta)
    return square("gabor", n, function(x, y)
        local u, v = x * c + y * s, y * c - x * s
        return math.exp(-(u * u + gamma * gamma * v * v) / (2 * sigma * sigma))
               * math.cos(2 * math.pi * u / lambda + psi)
    end)
end

-- Kirsch, Computer Determination of the Constituent Structure of Biological Images, 1971: north has
-- its 5s in the upper row; every further direction turns the rim by one pixel. Sums to 0.
function filters.kirsch(direction)
    local turns = { n = 0, ne = 1, e = 2, se = 3, s = 4, sw = 5, w = 6, nw = 7 }
    local turn = type(direction) == "string" and turns[direction]
    demand(turn, "kirsch", "the direction is one of n, ne, e, se, s, sw, w, nw")
    local rim = { { 0, 1, 2 }, { 7, -1, 3 }, { 6, 5, 4 } } -- clockwise
    return map(function(at)
        if at < 0 then return 0 end
        return (at - turn) % 8 < 3 and 5 or -3
    end, rim)
end

-- The derivative of that order, in the middle, of the polynomial of that degree that lies next to
-- n values (Savitzky and Golay 1964): scipy.signal.savgol_coeffs(n, degree, order, use="dot").
-- A sum over polynomials that are orthogonal on the points,
-- p_k+1 = x p_k - b p_k-1 with b = k^2 (n^2 - k^2) / (16 k^2 - 4).
function filters.savgol(n, degree, order)
    order = order or 0
    check_size("savgol", n)
    demand(is_whole(degree, 0, math.min(n - 1, 20)), "savgol",
           "the degree is a whole number from 0 to 20, below the size")
    demand(is_whole(order, 0, degree), "savgol",
           "the order is a whole number from 0 to the degree")
    local kernel, last, now = {}, {}, {} -- p_k-1 and p_k on the points
    local last0, now0 = {}, {} -- their derivatives of every order in the middle
    for i = 1, n do kernel[i], last[i], now[i] = 0, 0, 1 end
    for d = 0, order do last0[d], now0[d] = 0, d == 0 and 1 or 0 end
    for k = 0, degree do
        local norm, b = 0, k * k * (n * n - k * k) / (16 * k * k - 4)
        for i = 1, n do norm = norm + now[i] * now[i] end
        for i = 1, n do
            kernel[i] = kernel[i] + now[i] * now0[order] / norm
            last[i], now[i] = now[i], (i - (n + 1) / 2) * now[i] - b * last[i]
        end
        for d = order, 0, -1 do
            local next0 = (d > 0 and d * now0[d - 1] or 0) - b * last0[d]
            last0[d], now0[d] = now0[d], next0
        end
    end
    return kernel
end

return filters
