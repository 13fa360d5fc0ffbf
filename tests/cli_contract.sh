#!/bin/bash
# The contract of the command line: exit codes, one sentence on standard error, data on standard
# output, nothing half-written. Usage: cli_contract.sh CONVC. Prints "N passed, N failed".

. "$(dirname "$0")/support/contract.sh"

says() { grep -qF -- "$1" out; }
same_checksum_as() { [ "$(grep -o '"checksum[^,]*' "$1")" = "$(grep -o '"checksum[^,]*' out)" ]; }
another_checksum_than() { ! same_checksum_as "$1"; }
last_line_is() { [ "$(tail -n 1 out)" = "$1" ]; }

# json_is EXPRESSION: every line of out is an object o for which this Python expression holds.
json_is() {
    python3 -c '
import json, sys
objects = [json.loads(line) for line in open("out") if line.startswith("{")]
sys.exit(not (objects and all(eval(f"({sys.argv[1]})") for o in objects)))' "$1" 2>>err
}

cat >layer.lua <<'LUA'
return convc.conv { name = "one", input = { 1, 3, convc.param("H", 8), convc.param("W", 8) },
                    out_channels = 1, kernel_size = 3, padding = "same" }
LUA
cat >channels.lua <<'LUA'
local channels = convc.param("C", 1)
return convc.conv { input = { 1, channels, convc.param("H", 8), convc.param("W", 8) },
                    out_channels = channels, groups = channels, kernel_size = 3, padding = "same" }
LUA
cat >fixed.lua <<'LUA'
return convc.conv { name = "fixed", input = { 1, 3, 5, 7 }, out_channels = 4, kernel_size = 1 }
LUA
cat >two.lua <<'LUA'
local a = convc.conv { name = "a", input = { 1, 3, 5, 7 }, out_channels = 4, kernel_size = 1 }
local b = convc.conv { name = "b", input = { 1, 3, 5, 7 }, out_channels = 4, kernel_size = 1 }
return { a, b }
LUA
echo 'return convc.conv { input = { 1, 3, 5, 7 } }' >bad.lua

# Pictures and arrays, made by this machine's Python.
python3 - <<'PY'
import struct, zlib
def png(path, width, height, channels, bits, pixel):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))
    rows = b"".join(b"\0" + b"".join(pixel(x, y) for x in range(width)) for y in range(height))
    color = {1: 0, 2: 4, 3: 2, 4: 6}[channels]
    with open(path, "wb") as f:
        f.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits,
                                                                color, 0, 0, 0))
                + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))
png("rgb.png", 7, 5, 3, 8, lambda x, y: bytes([x * 30, y * 40, 200]))
png("rgb16.png", 7, 5, 3, 16, lambda x, y: struct.pack(">HHH", x * 9000, y * 9000, 60000))
png("wide.png", 9, 5, 3, 8, lambda x, y: bytes([x, y, 0]))
png("grey.png", 7, 5, 1, 8, lambda x, y: bytes([x * 30 + y]))
def npy(path, shape, values):
    head = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    with open(path, "wb") as f:
        f.write(b"\x93NUMPY\x01\0" + struct.pack("<H", len(head)) + head
                + struct.pack(f"<{len(values)}f", *values))
npy("input.npy", (1, 3, 5, 7), [float(i) for i in range(105)])
npy("small.npy", (1, 3, 5, 6), [0.0] * 90)
npy("center.npy", (1, 3, 3, 3), [0.0] * 4 + [1.0] + [0.0] * 22) # the first channel as it is
PY
head -c 100 input.npy >cut.npy

bytes="mb1ic3ih5iw7oc3kh1kw1;dtype=u8"

# ---- usage -------------------------------------------------------------------------------------

refuses 2 "a command is missing"
refuses 2 "frobnicate is no command" frobnicate
refuses 2 "run needs a spec" run
refuses 2 "explain needs a spec" explain
refuses 2 "check needs specs or --random" check
refuses 2 "cache needs one of" cache
refuses 2 "cache burn is none of" cache burn
refuses 2 "needs --db" tune fixed.lua
refuses 2 "tune needs a spec" tune
refuses 2 "takes no SPEC" tune --calibrate fixed.lua
refuses 2 "is not I/N" tune fixed.lua --db t.db --shard 5/4
refuses 2 "nor GNU parallel" tune fixed.lua --db t.db --shard auto
refuses 2 "no option --threads" tune --calibrate --threads 2
refuses 2 "no option --frobnicate" run fixed.lua --frobnicate
refuses 2 "no option --all-plans" run fixed.lua --all-plans
refuses 2 "needs a value" run fixed.lua --plan
refuses 2 "--threads=0 is not within" run fixed.lua --threads 0
refuses 2 "--threads=-1 is not within 1 to 1024" run fixed.lua --threads -1
refuses 2 "--threads=two is not a whole number" run fixed.lua --threads two
refuses 2 "is not a whole number from 0 to 2^63-1" check --random 99999999999999999999
refuses 2 "--random=-1 is not a whole number" check --random -1
refuses 2 "--tolerance=nan is not a number" run fixed.lua --tolerance nan
refuses 2 "--show=plan,size is not a list" explain fixed.lua --show plan,size
refuses 2 "-D H is not NAME=VALUE" run layer.lua -D H
refuses 2 "x: No such file or directory" run fixed.lua --db x
refuses 2 "has no such arg" run fixed.lua --arg scale=x.npy
refuses 2 "exclude each other" check fixed.lua --all-plans --plan direct
refuses 2 "nowhere.lua" run nowhere.lua
mkdir directory
refuses 2 "directory: is no regular file" run directory
refuses 2 "bad.lua" run bad.lua
refuses 2 "bad.lua" check fixed.lua bad.lua
refuses 2 "sets no parameter" run fixed.lua -D Q=1
refuses 2 "frobnicate" run fixed.lua --plan frobnicate
for command in run check explain; do
    refuses 2 "fixed.lua: fixed: tile=99x99x99" $command fixed.lua --plan "direct tile=99x99x99"
done
refuses 2 "pdp11" run fixed.lua --target pdp11

for command in "" run check explain bench cache db; do
    verdict "convc $command --help" ends 0 $command --help
    verdict "convc $command --help talks" [ -s out ]
done
verdict "--version" ends 0 --version
verdict "--version names itself" says "convc "

# ---- run ---------------------------------------------------------------------------------------

verdict "run prints a table" ends 0 run two.lua --no-timing
verdict "the table has every layer" [ "$(grep -cE '^(layer|a|b|total) ' out)" -eq 4 ]
verdict "run --json" ends 0 run two.lua --json --threads 1
verdict "one line for each convolution" [ "$(wc -l <out)" -eq 2 ]
verdict "exactly the fields of the contract" json_is 'list(o) == ["name", "problem", "plan",
    "algorithm", "source", "compile_ms", "time_ms", "gflops", "peak_gflops", "peak_fraction",
    "max_error", "checksum", "peers"]'
verdict "the fields hold what they say" json_is 'o["name"] in "ab" and o["time_ms"] > 0
    and o["gflops"] > 0 and o["peak_fraction"] > 0 and o["peers"] == {}
    and o["max_error"] < 1e-6 and len(o["checksum"]) == 16'
verdict "without timing" ends 0 run fixed.lua --json --no-timing
verdict "what is not measured is null" json_is 'o["time_ms"] is None and o["peak_gflops"] is None'
cp out first
verdict "run again" ends 0 run fixed.lua --json --no-timing
verdict "from the disk cache" json_is 'o["source"] == "disk"'
verdict "the same checksum" same_checksum_as first
verdict "run without cache" ends 0 run fixed.lua --json --no-timing --no-cache
verdict "compiled" json_is 'o["source"] == "compiled"'
verdict "another seed" ends 0 run fixed.lua --json --no-timing --seed 2
verdict "other data" another_checksum_than first
verdict "a problem in benchdnn's notation" ends 0 run g1mb1ic3ih5iw7oc4kh1kw1 --json --no-timing
verdict "gives the same data" same_checksum_as first
problem=$(sed 's/.*"problem":"\([^"]*\)".*/\1/' out)
verdict "the problem reads back" ends 0 run "$problem" --no-timing
verdict "a spec from standard input" eval '"$convc" run - --no-timing --json <fixed.lua >out 2>err'
verdict "a parameter" ends 0 run layer.lua -D H=16 --no-timing --json
verdict "the parameter is seen" json_is '"ih16iw8" in o["problem"]'

# ---- files -------------------------------------------------------------------------------------

refuses 2 "files go with one convolution" run two.lua --input input.npy
refuses 2 "small.npy has the shape (1, 3, 5, 6)" run fixed.lua --input small.npy
refuses 2 "holds" run fixed.lua --input cut.npy
refuses 2 "nowhere.npy cannot be opened" run fixed.lua --input nowhere.npy
refuses 2 "has no bias" run fixed.lua --bias input.npy
refuses 2 "grey.png has 1 channels" run fixed.lua --input grey.png
refuses 2 "only the input can be a picture" run fixed.lua --weights rgb.png
cp layer.lua fake.png
refuses 2 "fake.png is no PNG file" run fixed.lua --input fake.png
refuses 2 "rgb16.png holds 9000, which the input of" run "$bytes" --input rgb16.png
refuses 2 ", of type u8, cannot" run "$bytes" --input rgb16.png
refuses 2 "neither .npy nor .png" run fixed.lua --output out.txt
refuses 2 "is no picture" run mb2ic3ih5iw7oc3kh1kw1 --output out.png
refuses 3 "cannot be written" run fixed.lua --output nowhere/out.npy --no-timing
mkdir taken.npy
refuses 2 "is a directory" run fixed.lua --output taken.npy --no-timing
refuses 3 "cannot be written" run fixed.lua --output /dev/full.npy/x.npy --no-timing

echo precious >kept.npy
verdict "a failed run" ends 2 run fixed.lua --input small.npy --output kept.npy
verdict "leaves the file that was there" grep -q precious kept.npy
verdict "an array in and out" ends 0 run fixed.lua --input input.npy --output y.npy --no-timing
verdict "is written as NumPy does" [ "$(head -c 6 y.npy | tail -c 5)" = NUMPY ]
verdict "is complete" [ "$(stat -c %s y.npy)" -eq $((128 + 4 * 5 * 7 * 4)) ]
verdict "and nothing lies beside it" [ -z "$(ls | grep '^y\.npy\.')" ]

verdict "a picture sets H and W" ends 0 run layer.lua --input rgb.png --weights center.npy \
    --output red.png --no-timing --json
verdict "which the problem shows" json_is '"ih5iw7" in o["problem"]'
verdict "a spec that fits takes a picture" ends 0 run fixed.lua --input rgb.png --no-timing
verdict "a spec from standard input takes one" eval \
    '"$convc" run - --input rgb.png --no-timing <layer.lua >out 2>err'
refuses 2 "but: fixed.lua: -D H=" run fixed.lua --input wide.png
refuses 2 "wide.png has the shape (1, 3, 5, 9)" run layer.lua --input wide.png -D W=8
refuses 2 "bad.lua" run bad.lua --input wide.png
verdict "a picture sets C too" ends 0 run channels.lua --input rgb.png --no-timing --json
verdict "where there is one" json_is '"ic3ih5iw7oc3" in o["problem"]'
verdict "16 bits stay 16 bits" ends 0 run layer.lua --input rgb16.png --weights center.npy \
    --output red16.png --no-timing
verdict "bytes go through as bytes" ends 0 run "$bytes" --input rgb.png --output bytes.npy --no-timing
verdict "of which each takes one" [ "$(stat -c %s bytes.npy)" -eq $((128 + 3 * 5 * 7)) ]
verdict "the pictures are the red channel" python3 - <<'PY'
import struct, sys, zlib
def grey(path):
    data = open(path, "rb").read()
    width, height, bits, color = struct.unpack(">IIBB", data[16:26])
    at, body = 8, b""
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        if kind == b"IDAT":
            body += data[at + 8:at + 8 + length]
        at += 12 + length
    raw, step = zlib.decompress(body), bits // 8
    rows, above = [], bytes(width * step)
    for y in range(height):
        kind, *line = raw[y * (width * step + 1):(y + 1) * (width * step + 1)]
        row = bytearray(line)
        for i in range(len(row)):
            a = row[i - step] if i >= step else 0
            b, c = above[i], above[i - step] if i >= step else 0
            p = a + b - c
            paeth = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
            row[i] = (row[i] + [0, a, b, (a + b) // 2, paeth][kind]) & 255
        rows.append([int.from_bytes(row[x * step:(x + 1) * step], "big") for x in range(width)])
        above = bytes(row)
    return bits, color, rows
sys.exit(not (grey("red.png") == (8, 0, [[x * 30 for x in range(7)]] * 5) and
              grey("red16.png") == (16, 0, [[x * 9000 for x in range(7)]] * 5)))
PY

# ---- check, explain, cache ---------------------------------------------------------------------

verdict "check" ends 0 check two.lua fixed.lua
verdict "counts every problem" last_line_is "3 passed, 0 failed"
verdict "check --all-plans" ends 0 check fixed.lua --all-plans
verdict "counts problems, not plans" last_line_is "1 passed, 0 failed"
verdict "check --random" ends 0 check --random 20 --seed 3
verdict "counts random problems" last_line_is "20 passed, 0 failed"
verdict "check --json" ends 0 check two.lua --json
verdict "prints the objects of the contract" json_is 'len(o) == 13 and o["max_error"] < 1e-5'
verdict "and the count behind them" last_line_is "2 passed, 0 failed"

# Columns that are multiples by 2/3: sums under whole weights stay exact beside other weights.
mixed='g4ic4ih11iw31oc12oh21ow27kh3kw5ph6pw0;mode=symmetric;dtype=s16:f64:u8;layout=nchw'
mixed+=';weights=2*15,3*2,1,6,0,-3*2,-1,-6,0,-2*2,-0.6666666666666666,-4,0*16'
verdict "check of mixed weights" \
    ends 0 check "$mixed;epilogue=where(le(2,acc),5,7)" --all-plans --seed 61

verdict "check on two targets" ends 0 check fixed.lua --target x86-64,x86-64-v3
verdict "explain" ends 0 explain two.lua
verdict "explains" [ -s out ]
verdict "explain --show asm" ends 0 explain fixed.lua --show asm
verdict "shows asm" grep -q 'ret' out

verdict "cache list" ends 0 cache list --json
verdict "lists entries" json_is 'o["intact"] and o["bytes"] > 0 and o["problem"]'
verdict "cache verify" ends 0 cache verify
verdict "finds nothing broken" grep -q ' 0 broken' out
entry=$(find cache -type f -name '*.convc' | head -n 1)
printf X | dd of="$entry" bs=1 seek=200 conv=notrunc status=none
verdict "verify finds damage" ends 1 cache verify
verdict "and names it" grep -q broken out
verdict "prune" ends 0 cache prune
verdict "removes the damaged one" last_line_is "1 removed"
verdict "clear" ends 0 cache clear --json
verdict "counts" json_is 'o["removed"] > 0'
verdict "list after clear" ends 0 cache list
verdict "is empty" [ ! -s out ]

# ---- standard output that cannot be written ----------------------------------------------------

"$convc" --help >/dev/full 2>err
verdict "a full standard output is a failure of the system" [ $? -eq 3 ]

echo "$passed passed, $failed failed"
[ $failed -eq 0 ]
