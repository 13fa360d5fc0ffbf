-- Functions of lists of operands: sums, and what is chosen by its rank. What is compared does not
-- depend on how comparisons came out, so that vectors can do it: networks of min and max.

local functions = ...

local error, type = error, type
local min, max, add, div = functions.min, functions.max, functions.add, functions.div

local function check(list, who, least)
    if type(list) ~= "table" then error(who .. " takes a list", 0) end
    if #list < least then error(who .. " takes a list of " .. least .. " or more", 0) end
end

---- merging ---------------------------------------------------------------------------------------

-- Every other one, from the first or from the second.
local function every_other(list, first)
    local out = {}
    for i = first, #list, 2 do out[#out + 1] = list[i] end
    return out
end

-- Two ascending lists into one: Batcher's odd-even merge (Knuth, The Art of Computer Programming 3,
-- 5.3.4), which takes lists of any length.
local function merge(a, b)
    if #a == 0 then return b end
    if #b == 0 then return a end
    if #a == 1 and #b == 1 then return { min(a[1], b[1]), max(a[1], b[1]) } end
    local odd = merge(every_other(a, 1), every_other(b, 1))
    local even = merge(every_other(a, 2), every_other(b, 2))
    local out = { odd[1] }
    for i = 1, #even do
        if odd[i + 1] then
            out[2 * i] = min(even[i], odd[i + 1])
            out[2 * i + 1] = max(even[i], odd[i + 1])
        else
            out[2 * i] = even[i]
        end
    end
    for i = #even + 2, #odd do out[#out + 1] = odd[i] end
    return out
end

-- list[first] to list[last], ascending; as few comparisons as there can be of up to 8.
local function sorted(list, first, last)
    if first == last then return { list[first] } end
    local middle = (first + last) // 2
    return merge(sorted(list, first, middle), sorted(list, middle + 1, last))
end

-- The k-th of two ascending lists together: the least of what is not below k of them.
local function kth(a, b, k)
    local least
    for i = 0, k do
        local x, y = a[i], b[k - i]
        if (i == 0 or x) and (i == k or y) then
            local most = x and y and max(x, y) or x or y
            least = least and min(least, most) or most
        end
    end
    return least
end

---- ranks -----------------------------------------------------------------------------------------

-- The taps of a square, row by row, as columns, each ascending: neighbouring windows share them.
-- Otherwise each by itself.
local function columns(list)
    local side = 1
    while side * side < #list do side = side + 1 end
    if side * side ~= #list then side = #list end
    local out = {}
    for c = 1, side do
        local column = {}
        for i = c, #list, side do column[#column + 1] = list[i] end
        out[c] = sorted(column, 1, #column)
    end
    return out
end

-- Of three ascending columns: the middle of the largest first, the middle second and the least
-- third ones (A. W. Paeth, Median finding on a 3x3 grid, Graphics Gems, 1990).
local function middle_of_nine(c)
    local function middle(a, b, d) return max(min(a, b), min(max(a, b), d)) end
    local low = max(max(c[1][1], c[2][1]), c[3][1])
    local high = min(min(c[1][3], c[2][3]), c[3][3])
    return middle(low, middle(c[1][2], c[2][2], c[3][2]), high)
end

local function rank(list, k)
    local runs = columns(list)
    if #list == 9 and k == 5 then return middle_of_nine(runs) end
    while #runs > 2 do
        local merged = {}
        for i = 1, #runs, 2 do
            merged[#merged + 1] = runs[i + 1] and merge(runs[i], runs[i + 1]) or runs[i]
        end
        runs = merged
    end
    return runs[2] and kth(runs[1], runs[2], k) or runs[1][k]
end

---- sums ------------------------------------------------------------------------------------------

-- By halves, which rounds less and waits less than one after the other.
local function sum(list, first, last)
    if first == last then return list[first] end
    local middle = (first + last) // 2
    return add(sum(list, first, middle), sum(list, middle + 1, last))
end

local lists = {}

function lists.sum(list)
    check(list, "convc.sum", 1)
    return sum(list, 1, #list)
end

function lists.mean(list)
    check(list, "convc.mean", 1)
    return div(sum(list, 1, #list), #list)
end

function lists.sort(list)
    check(list, "convc.sort", 1)
    return sorted(list, 1, #list)
end

function lists.rank(list, k)
    check(list, "convc.rank", 1)
    if type(k) ~= "number" or k % 1 ~= 0 or k < 1 or k > #list then
        error("convc.rank takes a list and a whole number from 1 to its length", 0)
    end
    return rank(list, k)
end

function lists.median(list)
    check(list, "convc.median", 1)
    local n = #list
    if n % 2 == 1 then return rank(list, (n + 1) // 2) end
    return div(add(rank(list, n // 2), rank(list, n // 2 + 1)), 2)
end

return lists
