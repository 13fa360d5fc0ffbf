-- What a spec can name. Runs once before every spec, with all of Lua's base, math and string
-- libraries in reach, and returns the environment of the spec. What loops is written in Lua here,
-- so that it counts as instructions and cannot outlast the sandbox.

local conv, param, require, filters, functions, lists = ...

local error, type, next, select = error, type, next, select

local function check(condition, sentence)
    if not condition then error(sentence, 3) end
end

---- table -----------------------------------------------------------------------------------------

-- Stable: a merge sort, which ends whatever `before` answers.
local function sort(t, before)
    before = before or function(a, b) return a < b end
    local n, width = #t, 1
    local from, to = t, {}
    while width < n do
        for left = 1, n, 2 * width do
            local middle, right = left + width, left + 2 * width
            local i, j = left, middle
            for k = left, (right <= n and right or n + 1) - 1 do
                if i < middle and (j >= right or j > n or not before(from[j], from[i])) then
                    to[k], i = from[i], i + 1
                else
                    to[k], j = from[j], j + 1
                end
            end
        end
        from, to = to, from
        width = 2 * width
    end
    if from ~= t then
        for k = 1, n do t[k] = from[k] end
    end
end

local function unpack(t, i, j)
    if i < j then return t[i], unpack(t, i + 1, j) end
    if i == j then return t[i] end
end

local tables = {}

function tables.sort(t, before)
    check(type(t) == "table", "table.sort: value 1 is no table")
    sort(t, before)
end

-- By halves: growing one string value by value would copy it each time.
local function join(t, separator, i, j)
    if i == j then
        local v = t[i]
        if type(v) ~= "string" and type(v) ~= "number" then
            error("table.concat: a value is no string", 0)
        end
        return v .. ""
    end
    local middle = (i + j) // 2
    return join(t, separator, i, middle) .. separator .. join(t, separator, middle + 1, j)
end

function tables.concat(t, separator, i, j)
    check(type(t) == "table", "table.concat: value 1 is no table")
    i, j = i or 1, j or #t
    return i <= j and join(t, separator or "", i, j) or ""
end

function tables.insert(t, ...)
    check(type(t) == "table", "table.insert: value 1 is no table")
    local n, count = #t, select("#", ...)
    check(count == 1 or count == 2, "table.insert takes a table, a position or none, and a value")
    if count == 1 then
        t[n + 1] = (...)
        return
    end
    local at, value = ...
    check(type(at) == "number" and at >= 1 and at <= n + 1, "table.insert: no such position")
    for k = n, at, -1 do t[k + 1] = t[k] end
    t[at] = value
end

function tables.remove(t, at)
    check(type(t) == "table", "table.remove: value 1 is no table")
    local n = #t
    if at == nil then at = n end
    check(type(at) == "number" and (at >= 1 and at <= n + 1 or at == n),
          "table.remove: no such position")
    local value = t[at]
    for k = at, n - 1 do t[k] = t[k + 1] end
    if at <= n then t[n] = nil end
    return value
end

function tables.move(a, first, last, at, b)
    b = b or a
    check(type(a) == "table" and type(b) == "table", "table.move: a value is no table")
    if at > first and b == a then
        for k = last - first, 0, -1 do b[at + k] = a[first + k] end
    else
        for k = 0, last - first do b[at + k] = a[first + k] end
    end
    return b
end

function tables.pack(...)
    return { n = select("#", ...), ... }
end

function tables.unpack(t, i, j)
    check(type(t) == "table", "table.unpack: value 1 is no table")
    i, j = i or 1, j or #t
    check(j - i < 1000, "table.unpack: more than 1000 values")
    return unpack(t, i, j)
end

---- base ------------------------------------------------------------------------------------------

-- Numbers first, then strings, then the rest as it lies: the same spec makes the same list always.
local function key_before(a, b)
    local ta, tb = type(a), type(b)
    if ta == tb then return (ta == "number" or ta == "string") and a < b end
    return ta == "number" or (ta == "string" and tb ~= "number")
end

local function pairs(t)
    check(type(t) == "table", "pairs: value 1 is no table")
    local keys, i = {}, 0
    for k in next, t do keys[#keys + 1] = k end
    sort(keys, key_before)
    return function()
        local k
        repeat
            i = i + 1
            k = keys[i]
        until k == nil or t[k] ~= nil
        if k ~= nil then return k, t[k] end
    end
end

local strings = string

-- Where in memory a table or a function lies is nobody's business, and another place in every run.
local address_and_all = tostring

local function tostring(...)
    local kind = type(...)
    if kind == "table" or kind == "function" then return kind end
    local text = address_and_all(...)
    return kind == "userdata" and strings.match(text, "^[^:]*") or text
end

local function format(f, ...)
    check(type(f) == "string", "string.format: value 1 is no string")
    check(#f <= 1000, "string.format: a format has at most 1000 characters")
    local values, count, n = { ... }, select("#", ...), 0
    for conversion in strings.gmatch(f, "%%[^%a%%]*(.)") do
        check(conversion ~= "p", "string.format: %p would be an address")
        if conversion ~= "%" then n = n + 1 end
        if conversion == "s" and n <= count then values[n] = tostring(values[n]) end
    end
    return strings.format(f, unpack(values, 1, count))
end

local randomseed = math.randomseed
randomseed(0) -- the same numbers in every run

function math.randomseed(seed)
    check(type(seed) == "number", "math.randomseed: value 1 is no number")
    randomseed(seed)
end

-- A name that no filter has is an error: nil would say that there are no weights.
setmetatable(filters, { __index = function(_, name)
    local names = {}
    for known in next, filters do names[#names + 1] = known end
    sort(names)
    error("convc.filters has no " .. tostring(name) .. ", but " .. tables.concat(names, ", "), 0)
end })

---- the environment -------------------------------------------------------------------------------

local convc = { conv = conv, param = param, filters = filters }
for name, f in next, functions do convc[name] = f end
for name, f in next, lists do convc[name] = f end

return {
    convc = convc,
    math = math,
    table = tables,
    string = { format = format },
    require = require,
    ipairs = ipairs,
    pairs = pairs,
    select = select,
    type = type,
    tostring = tostring,
    tonumber = tonumber,
    error = error,
    assert = assert,
}
