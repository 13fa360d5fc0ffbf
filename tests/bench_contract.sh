#!/bin/bash
# The contract of convc bench: its JSON, its files, what it says of peers that are missing. No time
# that it measures decides anything. Usage: bench_contract.sh CONVC [PEERS]; PEERS "none" leaves out
# what needs libraries of others. Prints "N passed, N failed".

. "$(dirname "$0")/support/contract.sh"
peers=${2:-all}
run=("$convc" bench --threads 1)

# Without node, the one peer that is looked for when it is needed is missing.
without_node() { (export PATH=/nowhere && ends "$@"); }

# python EXPRESSION: true of `lines`, the objects on standard output, and of `text`.
python() {
    python3 - "$1" 2>>err <<'PY'
import json, math, re, sys
text = open("out").read()
lines = [json.loads(l) for l in text.splitlines() if l.startswith("{")]
def near(a, b): return math.isclose(a, b, rel_tol=1e-5)
sys.exit(not eval(sys.argv[1]))
PY
}

cat >net.lua <<'LUA'
local size = convc.param("H", 9)
local function layer(name, more)
    local t = { name = name, input = { 1, 8, size, 7 }, out_channels = 8, kernel_size = 3 }
    for k, v in pairs(more or {}) do t[k] = v end
    return convc.conv(t)
end
return {
    layer("first"), layer("other", { padding = 1 }), layer("again"),
    layer("double", { dtype = "f64" }), layer("mirror", { padding = 1, padding_mode = "reflect" }),
}
LUA

# ---- usage ---------------------------------------------------------------------------------------

refuses 2 "bench needs a spec"
refuses 2 "knows no option --input" net.lua --input x.npy
refuses 2 "frobnicate is no peer" net.lua --peers frobnicate
refuses 2 " is no peer" net.lua --peers onednn,
refuses 2 "sets no parameter" net.lua --peers none -D Q=1
refuses 2 "bench takes one target" net.lua --peers none --target x86-64,x86-64-v3
refuses 2 "nowhere.lua" nowhere.lua --peers none

mkdir alone && cp "$convc" alone/convc
alone() { alone/convc bench net.lua >out 2>err; [ $? -eq 3 ] && one_sentence; }
verdict "without convc-bench: one sentence, exit 3" alone
verdict "it names what is missing" grep -qF "convc-bench is not beside" err

# ---- JSON ----------------------------------------------------------------------------------------

verdict "it measures" ends 0 net.lua --peers none --json
verdict "one object a layer, in order" python \
    '[o["name"] for o in lines] == ["first", "other", "again", "double", "mirror"]'
verdict "the fields of the contract" python 'all(list(o) == ["name", "problem", "plan", "algorithm",
    "source", "compile_ms", "time_ms", "gflops", "peak_gflops", "peak_fraction", "max_error",
    "checksum", "peers"] for o in lines)'
verdict "nobody to compare with" python 'all(o["peers"] == {} for o in lines)'
verdict "a layer that occurs twice is measured once" python \
    'lines[0]["time_ms"] == lines[2]["time_ms"] and lines[0]["time_ms"] != lines[1]["time_ms"]'
verdict "rates follow from times" python 'near(lines[0]["gflops"],
    2 * 8 * 8 * 7 * 5 * 9 / lines[0]["time_ms"] * 1e-6) and all(near(o["peak_fraction"],
    o["gflops"] / o["peak_gflops"]) for o in lines)'
verdict "sums go to standard error" grep -q '^net.lua: 5 convolutions, 4 different; ' err
cp out measured
"$convc" run net.lua --no-timing --json >out 2>err
verdict "the results are those of run" python \
    '[o["checksum"] for o in lines] == re.findall("checksum\":\"(\\w+)", open("measured").read())'
verdict "options of all commands hold" ends 0 net.lua --peers none --json -D H=5 --tolerance 0 \
    --no-cache --plan "direct lanes=oc tile=1x3x1 order=rows border=peel" --target x86-64
verdict "the plan is the forced one" python \
    'lines[1]["plan"].startswith("direct lanes=oc tile=1x3x1") and "ih5" in lines[1]["problem"]'
verdict "a plan that does not fit is refused" ends 2 net.lua --peers none --plan frobnicate
verdict "the table" ends 0 net.lua --peers none
verdict "the table counts occurrences" grep -q '^first  *2  ' out
verdict "the table has a total" grep -q '^total  *5  ' out

# ---- files ---------------------------------------------------------------------------------------

page_holds() {
    python3 - "$@" 2>>err <<'PY'
import html.parser, json, re, sys
page = open("page.html").read()
class Page(html.parser.HTMLParser):
    empty = {"meta", "br", "path", "circle", "input", "img", "link"}
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.links, self.wrong = [], set(), set(), []
    def handle_starttag(self, tag, attributes):
        for name, value in attributes:
            if name == "id": self.ids.add(value)
            if name in ("href", "src", "srcset", "action", "data", "xlink:href"):
                if value.startswith("#"): self.links.add(value[1:])
                else: self.wrong.append(f"{tag} {name}={value}")
        if tag in ("link", "iframe", "object", "embed", "base", "img"): self.wrong.append(tag)
        if tag not in self.empty: self.open.append(tag)
    def handle_endtag(self, tag):
        if tag in self.empty: return
        if not self.open or self.open.pop() != tag: self.wrong.append(f"/{tag}")
p = Page()
p.feed(page)
p.close()
wrong = p.wrong + p.open + sorted(p.links - p.ids)
wrong += re.findall(r"https?://\S+|@import|url\([^)]*\)|\bimport\s*\(|fetch\s*\(|\bnan\b", page)
layers = [json.loads(l) for l in open("out")]
wrong += [o["name"] for o in layers if o["name"] not in page and o["name"] != "again"]
times = [float(t) for t in re.findall(r"([\d.]+(?:e-?\d+)?) ms", page)] # of four digits
wrong += [o["name"] for o in layers
          if not any(abs(t - o["time_ms"]) <= 5.01e-4 * o["time_ms"] for t in times)]
wrong += [o["plan"] for o in layers if o["plan"] not in page]
for words in ["<!doctype html>", "prefers-color-scheme: dark", "width=device-width", "FMA", "L1",
              "L2", "L3", "memory", "considered:"] + sys.argv[1:]:
    if words not in page: wrong.append(f"no {words}")
print(*wrong, sep="\n", file=sys.stderr)
sys.exit(bool(wrong))
PY
}
only_the_inputs_are_here() { [ "$(ls -A | grep -cvE '^(net.lua|out|err|measured|alone|cache)$')" -eq 0 ]; }

verdict "a page and a file for compare.py" ends 0 net.lua --peers none --json --report page.html \
    --benchmark-out google.json
verdict "the page stands alone and has every layer" page_holds "net.lua" "first" "&times;2"
google_is_right() {
    python3 - 2>>err <<'PY'
import json, sys
d = json.load(open("google.json"))
layers = {"net/" + o["name"]: o for o in map(json.loads, open("out"))}
runs = d["benchmarks"]
sys.exit(not ({r["name"] for r in runs} == set(layers) and "num_cpus" in d["context"] and all(
    r["run_type"] == "iteration" and r["real_time"] > 0 and r["repetitions"] >= 3
    and r["label"] == layers[r["name"]]["plan"] and "peak_fraction" in r
    and abs(r["time_ms"] - layers[r["name"]]["time_ms"]) < 1e-6 for r in runs)))
PY
}
verdict "the file has Google Benchmark's fields and ours" google_is_right
rm page.html google.json

verdict "a path that cannot be written" ends 3 net.lua --peers none --report nowhere/page.html
verdict "is known before anything is measured" one_sentence
verdict "a failure" ends 2 net.lua --peers none --plan frobnicate --report page.html \
    --benchmark-out google.json
verdict "leaves no file behind" only_the_inputs_are_here
echo before >page.html
ends 2 net.lua --peers none --plan frobnicate --report page.html
verdict "a failure leaves the page of before" grep -q before page.html
rm page.html

# ---- peers ---------------------------------------------------------------------------------------

if [ "$peers" != none ] && ends 0 net.lua --peers onednn; then
    verdict "a missing peer alone is a failure" without_node 3 net.lua --peers onnxruntime
    verdict "in one sentence" one_sentence
    verdict "which names it" grep -q '^convc: onnxruntime: ' err
    verdict "one that is missing beside the others is none" without_node 0 net.lua --json
    verdict "it is named on standard error" grep -q '^convc: onnxruntime: ' err
    verdict "and in the object" python 'all(o["peers"]["onnxruntime"]["time_ms"] is None
        and o["peers"]["onnxruntime"]["ratio"] is None
        and "onnxruntime" in o["peers"]["onnxruntime"]["reason"] for o in lines)'
    verdict "every peer is there, with a time or a reason" python \
        'all(set(o["peers"]) == {"onednn", "xnnpack", "openblas", "onnxruntime", "opencv"}
         and all((p["time_ms"] is None) == ("reason" in p) for p in o["peers"].values())
         for o in lines)'
    verdict "a ratio is a quotient of times" python 'all(near(p["ratio"], p["time_ms"] / o["time_ms"])
        for o in lines for p in o["peers"].values() if p["time_ms"] is not None)'
    verdict "peers come to the same results" python 'all(p["max_error"] < 1e-5
        for o in lines for p in o["peers"].values() if p["time_ms"] is not None)'
    verdict "what a peer cannot do has a reason" python \
        '[all("f32 only" in p["reason"] or "onnxruntime" in p["reason"] or "without" in p["reason"]
              for p in lines[3]["peers"].values()),
          all(p["time_ms"] is None for p in lines[4]["peers"].values())] == [True, True]'
    verdict "the table names the missing one" without_node 0 net.lua --peers onednn,onnxruntime
    verdict "below" grep -q '^onnxruntime: ' out
    verdict "another layout than the spec's" ends 0 g1ic16ih8oc16oh8kh3ph1 --json
    verdict "in the layout of the spec: at best as fast" python 'all(p["spec_layout"]["time_ms"]
        >= p["time_ms"] for o in lines for p in o["peers"].values() if "spec_layout" in p)'
fi

# memcpy is always there.
cat >pictures.lua <<'LUA'
local function picture(name, t)
    t.name, t.input = name, { 1, t.channels or 1, 40, 50 }
    t.channels = nil
    return convc.conv(t)
end
local none = -1e30
local cross = { { none, 0, none }, { 0, 0, 0 }, { none, 0, none } }
local function plus(x, w) return x + w end
local list = {
    picture("sobel", { weights = convc.filters.sobel_x }),
    picture("flat", { weights = cross, combine = plus, reduce = "max", padding = 1,
        padding_mode = "identity" }),
    picture("steep", { weights = { { 0.5, 0 } }, combine = plus, reduce = "max" }),
    picture("wraps", { weights = convc.filters.sobel_x, padding = 1, padding_mode = "circular" }),
    picture("mixed", { channels = 3, out_channels = 2, kernel_size = 3 }),
    picture("colours", { channels = 3, weights = convc.filters.gaussian(5, 1.2), flip = true,
        padding = "same", padding_mode = "symmetric" }),
    picture("bytes", { weights = convc.filters.sobel_x, dtype = { src = "u8", dst = "s16" } }),
    picture("blur", { weights = convc.filters.gaussian(5, 1.2), dtype = "u8" }),
    picture("median", { kernel_size = 3, padding = 1, padding_mode = "replicate",
        window = function(x) return convc.median(convc.taps(x)) end }),
    picture("least", { kernel_size = 3, window = function(x) return convc.rank(convc.taps(x), 1) end,
        dtype = "u16" }),
    picture("range", { kernel_size = 3, window = function(x) return x(0, 0) - x(2, 2) end }),
    picture("each", { channels = 2, out_channels = 4, groups = 2, kernel_size = { 2, 3 },
        bias = true, dilation = 2, padding = { { 1, 0 }, { 0, 2 } }, padding_mode = "reflect" }),
}
return list
LUA
verdict "memcpy" ends 0 pictures.lua --peers memcpy --json
verdict "copies half of what is read and written" python \
    'all(lines[i]["peers"]["memcpy"]["layout"] == f"{n} bytes copied"
        for i, n in ((0, (40 * 50 + 38 * 48) * 4 // 2), (6, 40 * 50 // 2 + 38 * 48)))'
verdict "and computes nothing" python 'all(o["peers"]["memcpy"]["max_error"] is None
    and o["peers"]["memcpy"]["time_ms"] > 0 for o in lines)'
verdict "it takes any type" ends 0 net.lua --peers memcpy --json
verdict "and any number of threads" ends 0 net.lua --peers memcpy --threads 2
if [ "$peers" != none ] && ends 0 pictures.lua --peers opencv --json; then
    verdict "OpenCV filters pictures as convc does" python '[o["name"] for o in lines
        if o["peers"]["opencv"]["time_ms"] is not None
        and o["peers"]["opencv"]["max_error"] < 1e-5] == ["sobel", "flat", "colours", "bytes", "blur", "median", "least", "each"]'
    verdict "by a function that is named" python \
        'all(lines[i]["peers"]["opencv"]["layout"].startswith(name)
             for i, name in [(1, "dilate"), (8, "medianBlur"), (9, "erode")])'
    verdict "channels last only where they have one filter" python '["spec_layout" in
        o["peers"]["opencv"] for o in lines] == [False] * 5 + [True] + [False] * 6'
    verdict "what it does not do has a reason" python 'all(words in o["peers"]["opencv"]["reason"]
        for o, words in zip(lines[2:5] + lines[10:11], ["are flat", "wrap around", "by itself", "no function"]))'
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
