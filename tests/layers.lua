-- The laws of the house, proved over every file: who may include whom, where foreign libraries may
-- be seen, how long lines, functions and files may be, and that the text points at nothing outside.
--
--     lua5.4 tests/layers.lua ROOT
--
-- Every law is first broken on purpose in a small made-up tree (layers_broken.lua), so that it is
-- known to bite.

-- A file includes only from rows above its own, or from its own module. A module of gen/ is a
-- directory; a module x of runtime/ is x.c, x.h and the x_y.c that have no row of their own, by
-- name or as "x_*".
local ORDER = {
    { "convc/types" },
    { "convc/kernel" },
    { "convc/convc" },
    { "convc/tuning", "convc/layer" },
    { "gen/base" },
    { "gen/expr" },
    { "gen/problem" },
    { "gen/plan", "gen/spec" },
    { "gen/emit" },
    { "gen/out" },
    { "runtime/elf" },
    { "runtime/verbose", "runtime/perf_map" },
    { "runtime/guard", "runtime/api", "runtime/clock", "runtime/disk_dir" },
    { "runtime/ref", "runtime/pool", "runtime/jit", "runtime/bandwidth", "runtime/jobs" },
    { "runtime/machine" },
    { "runtime/kernel" },
    { "runtime/cache", "runtime/cache_disk", "runtime/disk_*" },
    { "runtime/tune_db", "runtime/measurer" },
    { "runtime/tune" },
    { "runtime/context", "runtime/layer", "runtime/explain", "runtime/peak", "runtime/ceilings",
      "runtime/api_*" },
    { "runtime/cli" },
}

-- Modules of a row that form one front, in which files may include each other.
local FRONT = {
    ["runtime/cache_disk"] = "disk",
    ["runtime/disk_*"] = "disk",
    ["runtime/context"] = "context",
    ["runtime/layer"] = "context",
    ["runtime/explain"] = "context",
    ["runtime/peak"] = "context",
    ["runtime/ceilings"] = "context",
    ["runtime/api_*"] = "context",
}

-- What only some may include: a pattern of the include, and its owners.
local OWNED = {
    { "^gen/spec/", { "gen/spec", "runtime/context", "runtime/api_*" } },
    { "^lua%.h$", { "gen/spec" } },
    { "^lauxlib%.h$", { "gen/spec" } },
    { "^lualib%.h$", { "gen/spec" } },
    { "^llvm%-c/", { "gen/emit", "gen/out", "runtime/jit" } },
    { "^sqlite3%.h$", { "runtime/tune_db" } },
    { "^pthreadpool%.h$", { "runtime/pool" } },
    { "^png%.h$", { "runtime/cli" } },
}

local LIBC = {}
for name in ([[assert ctype errno fenv float inttypes limits locale math setjmp signal stdalign
    stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string threads time uchar wchar
    argp cpuid dirent dlfcn elf fcntl fnmatch ftw getopt glob link malloc poll pthread pwd sched
    spawn strings unistd sys/auxv sys/file sys/ioctl sys/mman sys/random sys/resource sys/socket
    sys/stat sys/syscall sys/time sys/types sys/uio sys/wait]]):gmatch("%S+") do
    LIBC[name .. ".h"] = true
end

-- What allocates in the C library; in gen/ and runtime/ memory.c alone calls it.
local ALLOCATES = {}
for name in ([[malloc calloc realloc reallocarray aligned_alloc posix_memalign memalign free strdup
    strndup asprintf vasprintf getline getdelim open_memstream]]):gmatch("%S+") do
    ALLOCATES[name] = true
end

local LINES_PER_FILE, LINES_PER_FUNCTION, COLUMNS = 500, 80, 100

local TOP_LEVEL = {}
for name in ([[gen runtime specs tests bench CMakeLists.txt README.md Makefile LICENSE CHANGELOG.md
    SECURITY.md .clang-format .ci .gitignore]]):gmatch("%S+") do
    TOP_LEVEL[name] = true
end

---- The tree: a table from path to text, and what can be read off a path --------------------------

local RANK = {}
for rank, row in ipairs(ORDER) do
    for _, module in ipairs(row) do
        RANK[module] = rank
    end
end

-- The module of a file: "gen/plan", "runtime/jit", "convc/types"; nil outside of the library.
local function module_of(path)
    local public = path:match("^runtime/include/(convc/%w+)%.h$")
    if public then
        return public
    end
    if path:match("^runtime/cli/") then
        return "runtime/cli"
    end
    local module = path:match("^(runtime/[%w_]+)%.[ch]$")
    while module and not RANK[module] and module:match("_") do
        local stem = module:gsub("_[^_]*$", "")
        module = RANK[stem .. "_*"] and stem .. "_*" or stem
    end
    return module or path:match("^(gen/[%w_]+)/")
end

local function is_c(path)
    return path:match("%.[ch]$") ~= nil
end

local function lines_of(text)
    return (text:sub(-1) == "\n" and text or text .. "\n"):gmatch("(.-)\n")
end

-- Every include of a file, as { line, quoted, path }.
local function includes_of(text)
    local found, number = {}, 0
    for line in lines_of(text) do
        number = number + 1
        local mark, path = line:match('^%s*#%s*include%s*([<"])([^>"]+)[>"]')
        if path then
            found[#found + 1] = { line = number, quoted = mark == '"', path = path }
        end
    end
    return found
end

-- The path in the tree that an include means; nil for a foreign header.
local function resolve(files, include)
    if include.quoted then
        return include.path
    end
    local public = "runtime/include/" .. include.path
    return files[public] and public or nil
end

---- The laws: each takes the tree and complains ---------------------------------------------------

local laws = {}

function laws.includes_are_rooted(files, complain)
    for path, text in pairs(files) do
        for _, include in ipairs(is_c(path) and includes_of(text) or {}) do
            local stem = include.path:match("^(.*)%.%a+$") or include.path
            local made = files[stem] or files[stem .. ".lua"] or files[stem .. ".cmake"] -- built
            if include.quoted and not files[include.path] and not made then
                complain(path, include.line, '"%s" is no file of the tree', include.path)
            end
        end
    end
end

function laws.own_header_comes_first(files, complain)
    for path, text in pairs(files) do
        local header = path:gsub("%.c$", ".h")
        local first = includes_of(text)[1]
        if path:match("%.c$") and files[header] and not (first and first.path == header) then
            complain(path, first and first.line or 1, 'the first include is not "%s"', header)
        end
    end
end

function laws.every_module_has_a_place(files, complain)
    for path in pairs(files) do
        local module = module_of(path) or "this file"
        local ours = path:match("^gen/") or path:match("^runtime/")
        if ours and is_c(path) and not RANK[module] then
            complain(path, 1, "%s has no row in ORDER", module)
        end
    end
end

function laws.includes_come_from_the_left(files, complain)
    for path, text in pairs(files) do
        local module = module_of(path)
        for _, include in ipairs(RANK[module] and includes_of(text) or {}) do
            local target = resolve(files, include)
            local other = target and module_of(target)
            local same = other == module or (FRONT[other] and FRONT[other] == FRONT[module])
            if target and not other then
                complain(path, include.line, "%s is not part of the library", target)
            elseif target and not same and (RANK[other] or 0) >= RANK[module] then
                complain(path, include.line, "%s may not include %s", module, other)
            end
        end
    end
end

function laws.includes_form_no_circle(files, complain)
    local state = {}
    local function visit(path)
        state[path] = "open"
        for _, include in ipairs(includes_of(files[path])) do
            local target = resolve(files, include)
            if target and files[target] and state[target] == "open" then
                complain(path, include.line, "closes a circle with %s", target)
            elseif target and files[target] and not state[target] then
                visit(target)
            end
        end
        state[path] = "done"
    end
    for path in pairs(files) do
        if is_c(path) and not state[path] then
            visit(path)
        end
    end
end

function laws.siblings_do_not_know_each_other(files, complain)
    for path, text in pairs(files) do
        local kind, name = path:match("/(%a+)_([%w_]+)%.[ch]$")
        for _, include in ipairs((kind == "plan" or kind == "emit") and includes_of(text) or {}) do
            local other = include.path:match("/" .. kind .. "_([%w_]+)%.h$")
            if other and other ~= name then
                complain(path, include.line, "%s_%s may not know %s_%s", kind, name, kind, other)
            end
        end
    end
end

function laws.foreign_headers_stay_with_their_owners(files, complain)
    for path, text in pairs(files) do
        local module = module_of(path)
        for _, include in ipairs(module and includes_of(text) or {}) do
            local owned, allowed = false, false
            for _, rule in ipairs(OWNED) do
                if include.path:match(rule[1]) then
                    owned = true
                    for _, owner in ipairs(rule[2]) do
                        allowed = allowed or owner == module
                    end
                end
            end
            local foreign = not include.quoted and not resolve(files, include)
            if owned and not allowed then
                complain(path, include.line, "%s may not include %s", module, include.path)
            elseif foreign and not owned and not LIBC[include.path] then
                complain(path, include.line, "<%s> is foreign and has no owner", include.path)
            end
        end
    end
end

function laws.public_headers_need_only_libc(files, complain)
    for path, text in pairs(files) do
        for _, include in ipairs(path:match("^runtime/include/") and includes_of(text) or {}) do
            local public = include.path:match("^convc/") and not include.quoted
            if not public and not LIBC[include.path] then
                complain(path, include.line, "a public header includes %s", include.path)
            end
        end
    end
end

function laws.the_command_line_sees_only_the_public_headers(files, complain)
    for path, text in pairs(files) do
        for _, include in ipairs(path:match("^runtime/cli/") and includes_of(text) or {}) do
            local target = resolve(files, include)
            if target and not target:match("^runtime/cli/")
                and not target:match("^runtime/include/") then
                complain(path, include.line, "the command line includes %s", target)
            end
        end
    end
end

function laws.the_compiler_does_not_know_the_runtime_interface(files, complain)
    for path, text in pairs(files) do
        for _, include in ipairs(path:match("^gen/") and is_c(path) and includes_of(text) or {}) do
            if include.path == "convc/convc.h" then
                complain(path, include.line, "gen/ may know convc/types.h and convc/kernel.h only")
            end
        end
    end
end

-- Else a host's allocator would not see it.
function laws.memory_comes_from_one_place(files, complain)
    for path, text in pairs(files) do
        local ours = path:match("^gen/") or path:match("^runtime/")
        if ours and path:match("%.c$") and not path:match("^runtime/cli/")
            and path ~= "gen/base/memory.c" then
            local number = 0
            for line in lines_of(text) do
                number = number + 1
                for name in line:gsub('"[^"]*"', '""'):gmatch("%f[%w_]([%a_]+)%(") do
                    if ALLOCATES[name] then
                        complain(path, number, "%s is called; see gen/base/memory.h", name)
                    end
                end
            end
        end
    end
end

function laws.files_are_short(files, complain)
    for path, text in pairs(files) do
        local _, count = text:gsub("\n", "")
        if (is_c(path) or path:match("%.lua$")) and count > LINES_PER_FILE then
            complain(path, count, "%d lines, at most %d", count, LINES_PER_FILE)
        end
    end
end

-- The formatter puts the braces of a function, and of nothing else, in the first column.
function laws.functions_are_short(files, complain)
    for path, text in pairs(files) do
        local number, open = 0, nil
        for line in lines_of(is_c(path) and text or "") do
            number = number + 1
            if line == "{" then
                open = number
            elseif line:match("^}") and open then
                if number - open + 1 > LINES_PER_FUNCTION then
                    complain(path, open, "a function of %d lines, at most %d", number - open + 1,
                        LINES_PER_FUNCTION)
                end
                open = nil
            end
        end
    end
end

function laws.lines_are_narrow(files, complain)
    for path, text in pairs(files) do
        local number = 0
        for line in lines_of((is_c(path) or path:match("%.lua$")) and text or "") do
            number = number + 1
            local columns = utf8.len(line) or #line
            if columns > COLUMNS then
                complain(path, number, "%d columns, at most %d", columns, COLUMNS)
            end
        end
    end
end

-- "a/b/../c" without its dots; nil where it leaves the tree.
local function normal(path)
    local parts = {}
    for part in path:gmatch("[^/]+") do
        if part == ".." and #parts == 0 then
            return nil
        elseif part == ".." then
            parts[#parts] = nil
        elseif part ~= "." then
            parts[#parts + 1] = part
        end
    end
    return table.concat(parts, "/")
end

-- Documents that are named, and paths that climb, must be in the tree.
function laws.text_points_at_nothing_outside(files, complain)
    for path, text in pairs(files) do
        local dir = path:match("^(.*)/[^/]*$") or ""
        local number = 0
        local function check(name)
            local near = normal(dir .. "/" .. name)
            if not (near and files[near]) and not files[name] then
                complain(path, number, "%s is not in this tree", name)
            end
        end
        local is_read = is_c(path) or path:match("%.md$")
            or (path:match("%.lua$") and not path:match("^tests/layers"))
        for line in lines_of(is_read and text or "") do
            number = number + 1
            if is_c(path) then -- what a string holds is data, such as a path that must be refused
                line = line:gsub('\\"', ""):gsub('"[^"]*"', '""')
            end
            for name in line:gsub("%a+://%S+", ""):gmatch("[%w_%-%./]+%.md%f[^%w_]") do
                check(name)
            end
            for name in line:gmatch("%f[%w%._/]%.%./[%w_%-%./]*[%w_]") do
                check(name)
            end
        end
    end
end

function laws.the_top_level_holds_only_what_belongs_there(files, complain)
    for path in pairs(files) do
        if not TOP_LEVEL[path:match("^[^/]+")] then
            complain(path, 1, "does not belong at the top level")
        end
    end
end

---- The self-test: every law, broken on purpose ---------------------------------------------------

local function judge(law, files)
    local complaints = {}
    laws[law](files, function(path, line, format, ...)
        complaints[#complaints + 1] = ("%s:%d: %s"):format(path, line, format:format(...))
    end)
    table.sort(complaints)
    return complaints
end

local passed, failed = 0, 0

local function record(fine, sentence)
    if fine then
        passed = passed + 1
    else
        failed = failed + 1
        print("FAILED: " .. sentence)
    end
end

local function self_test(good, bad)
    local broken = {}
    for law in pairs(laws) do
        local complaints = judge(law, good)
        record(#complaints == 0, law .. " complains of a good tree: " .. (complaints[1] or ""))
    end
    for _, case in ipairs(bad) do
        local law, path, text = table.unpack(case)
        local files = {}
        for p, t in pairs(good) do
            files[p] = t
        end
        files[path] = text
        record(#judge(law, files) > 0, law .. " does not see what is wrong in " .. path)
        broken[law] = true
    end
    for law in pairs(laws) do
        record(broken[law], law .. " is never broken in the self-test")
    end
end

---- The real tree ---------------------------------------------------------------------------------

-- All files that git knows or would add; a tree without git is searched instead.
local function list(root)
    local quoted = "'" .. root:gsub("'", "'\\''") .. "'"
    for _, command in ipairs({
        "git -C %s ls-files --cached --others --exclude-standard 2>/dev/null",
        "cd %s && find . -type f -not -path './build*' -not -path './.git/*' | sed 's|^./||'",
    }) do
        local pipe = assert(io.popen(command:format(quoted)))
        local paths = {}
        for path in pipe:lines() do
            paths[#paths + 1] = path
        end
        pipe:close()
        if #paths > 0 then
            return paths
        end
    end
    error("no files in " .. root)
end

local function read_tree(root)
    local files = {}
    for _, path in ipairs(list(root)) do
        local file = io.open(root .. "/" .. path, "rb")
        if file then
            files[path] = file:read("a")
            file:close()
        end
    end
    return files
end

local root = arg[1] or error("usage: lua5.4 tests/layers.lua ROOT")
self_test(table.unpack(dofile((arg[0]:gsub("layers%.lua$", "layers_broken.lua")))))
local files = read_tree(root)
for law in pairs(laws) do
    local complaints = judge(law, files)
    record(#complaints == 0, law .. "\n  " .. table.concat(complaints, "\n  "))
end
print(("%d passed, %d failed"):format(passed, failed))
os.exit(failed == 0)
