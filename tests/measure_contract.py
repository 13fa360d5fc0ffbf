#!/usr/bin/python3
"""The contract of convc-measure: every request and its answers. No time that it measures decides
anything.

    measure_contract.py CONVC CONVC-MEASURE CONVC-MEASURE-PLANTED

Last line: "N passed, N failed".
"""
import math
import os
import re
import signal
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
from facts import fact, report, run, scratch, write

CONVC, MEASURE, PLANTED = map(os.path.realpath, sys.argv[1:4])

SMALL = "ic8ih9oc8kh3"
DIRECT = "direct lanes=oc tile=1x3x1 order=rows border=peel"


def ask(*requests, program=MEASURE, options=(), plant=None):
    """The answers to some requests: all lines of standard output."""
    done = run(program, *options, input="".join(r + "\n" for r in requests),
               env={**os.environ, **(plant or {})})
    fact(f"ends well: {requests[-1][:60]}", done.returncode == 0, done.stderr)
    fact(f"says nothing else: {requests[-1][:60]}", done.stderr == "", done.stderr)
    return done.stdout.splitlines()


def chosen(problem):
    said = run(CONVC, "explain", problem).stdout
    found = re.search(r"^plan +(\S.*)$", said, re.M)
    return found[1] if found else None


def rounds(lines):
    """The times of a race's rounds; None where one is no time."""
    times = [[float(word) for word in line.split()[1:]] for line in lines
             if line.startswith("round ")]
    fine = all(t > 0 and math.isfinite(t) for row in times for t in row)
    return times if fine else None


# ---- requests ------------------------------------------------------------------------------------

def check_requests():
    said = ask("version", f"problem {SMALL}", f"plan 0 {DIRECT}", f"plan 15 {DIRECT}",
               "race 3 0.5 0 15", "race 2 1 15 0 15")
    fact("a version", re.fullmatch(r"ok \d+\.\d+\.\d+", said[0]), said)
    fact("a problem and its plans", said[1:4] == ["ok"] * 3, said)
    times = rounds(said)
    fact("a line a round", said[7] == said[-1] == "done" and len(said) == 11, said)
    fact("a time for each slot", times and [len(t) for t in times] == [2] * 3 + [3] * 2, said)
    fact("a last line that does not end is a request", run(MEASURE, input="version").stdout
         .startswith("ok "))
    fact("nothing asked, nothing said", run(MEASURE, input="").stdout == "")


BAD = [
    ("frobnicate", "frobnicate is no request"), ("", " is no request"),
    ("problem", " is no problem"), ("problem -", "- is no problem"),
    ("problem /etc/passwd", "is no problem"), ("problem etc", "etc"),
    ("problem spec.lua", "spec.lua is no problem"), ("problem ic8ih9oc8kh3;frob=1", "frob"),
    ("problem ic8ih2oc8kh3", "kernel"), ("problem g3ic8ih9oc9kh3", "groups=3"),
    ("plan", "slot "), ("plan 16 x", "slot 16"), ("plan -1 x", "slot -1"),
    ("plan 1x y", "slot 1x"), ("plan 0 " + DIRECT, "there is no problem"),
    ("race", " rounds"), ("race 0 1 0", "0 rounds"), ("race 1.5 1 0", "1.5 rounds"),
    ("race 1", " milliseconds"), ("race 1 0 0", "0 milliseconds"),
    ("race 1 nan 0", "nan milliseconds"), ("race 1 -1 0", "-1 milliseconds"),
    ("race 1 1e7 0", "1e7 milliseconds"), ("race 1 1", "slot "), ("race 1 1 0", "slot 0 has no"),
    ("race 1 1 99", "slot 99"), ("race 1 1 4294967296", "slot 4294967296"),
]


def check_bad_requests():
    write("spec.lua", "return convc.conv { input = { 1, 8, 9, 9 }, out_channels = 8, "
                      "kernel_size = 3 }")
    said = ask(*[request for request, _ in BAD], "version")
    fact("an answer to each", len(said) == len(BAD) + 1 and said[-1].startswith("ok"), said)
    for (request, why), answer in zip(BAD, said):
        fact(f"refused: {request}", answer.startswith("failed ") and why in answer, answer)
    said = ask(f"problem {SMALL}", "plan 0 frobnicate", "plan 0 winograd f=9x9", "plan 0 ",
               f"plan 0 {DIRECT}", "race 1 1 0 1", "race 1 1" + " 0" * 17,
               "plan 0 frobnicate", "race 1 1 0", f"plan 0 {DIRECT}", f"problem {SMALL}",
               "race 1 1 0", "problem frobnicate", f"plan 0 {DIRECT}")
    fact("plans that are none", all(s.startswith("refused ") for s in said[1:4]), said)
    fact("the next one is", said[4] == "ok", said)
    fact("an empty slot", said[5] == "failed slot 1 has no plan", said)
    fact("too many slots", said[6] == "failed a race has at most 16 slots", said)
    fact("a refused plan empties its slot", said[8] == "failed slot 0 has no plan", said)
    fact("a problem empties all slots", said[11] == "failed slot 0 has no plan", said)
    fact("after a bad problem there is none", said[13] == "failed there is no problem", said)
    raw = subprocess.run([MEASURE], input=b"version\0\nproblem \xff\x01\nversion\n",
                         capture_output=True).stdout.splitlines()
    fact("bytes that are no text", len(raw) == 3 and raw[0].startswith(b"failed ") and
         raw[1].startswith(b"failed ") and raw[2].startswith(b"ok "), raw)


def check_usage():
    for options in (["--threads", "0"], ["--threads", "x"], ["--target", "frobnicate"], ["--what"],
                    ["--target", "aarch64-unknown-linux-gnu:generic"], ["word"], ["--threads"]):
        done = run(MEASURE, *options, input="version\n")
        fact(f"exit 2 and one sentence: {options}", done.returncode == 2 and done.stdout == "" and
             done.stderr.startswith("convc-measure: ") and done.stderr.count("\n") == 1,
             done.stderr)


# ---- whatever a problem says ---------------------------------------------------------------------

PROBLEMS = [
    "ic64ih14oc64kh3ph1", "ic16ih12oc24kh1;dtype=f64", "ic3ih20oc8kh7sh2ph3;layout=nchw",
    "g4ic16ih9oc32kh3ph1", "g16ic16ih15oc16kh3ph1;bias;act=relu", "ic8iw40oc8kw5pw2",
    "ic4id6ih7iw8oc8kd3kh3kw3pd1ph1pw1", "g1ic1ih20iw30oc1kh3kw3ph1pw1;dtype=u8",
    "ic1ih20iw30oc1kh3kw3ph1pw1;dtype=u8:f32:s16;weights=1,2,1,0*3,-1,-2,-1",
    "ic1ih20iw30oc1kh3kw3ph1pw1;mode=reflect;weights=1*9;layout=nchw",
    "ic8ih9oc8kh3ph1;residual;act=gelu", "ic8ih9oc8kh3;combine=abs(sub(x,w));reduce=max",
    "ic8ih9oc8kh3;epilogue=mul(acc,scale);args=scale:channel",
]
WINDOW = """
local function middle(x)
    local high = convc.max(x(0, 0), x(0, 1), x(0, 2))
    return convc.max(high, x(1, 1)) - convc.min(x(2, 0), x(2, 1), x(2, 2))
end
return convc.conv { input = { 1, 2, 30, 31 }, kernel_size = 3, out_channels = 2, groups = 2,
                    padding = 1, padding_mode = "replicate", layout = "nchw", window = middle }
"""
CONSTANT = """
local rows = {}
for i = 1, 31 do
    rows[i] = {}
    for j = 1, 31 do rows[i][j] = ((i * 37 + j * 91) % 1009) / 1013 end
end
return convc.conv { input = { 1, 1, 64, 80 }, weights = rows, padding = 15, layout = "nchw" }
"""


def text_of(spec):
    """The line of a spec's only problem."""
    write("it.lua", spec)
    return run(CONVC, "explain", "it.lua").stdout.splitlines()[0].split()[1]


def check_problems():
    problems = PROBLEMS + [text_of(WINDOW), text_of(CONSTANT)]
    fact("constant weights make a long line", len(problems[-1]) > 8000, len(problems[-1]))
    requests = []
    for problem in problems:
        plan = chosen(problem)
        fact(f"there is a plan for {problem[:60]}", plan)
        requests += [f"problem {problem}", f"plan 3 {plan}", "race 1 0.1 3"]
    for options in ([], ["--threads", "2"]):
        said = ask(*requests, options=options)
        fact("each has a time", len(said) == 4 * len(problems) and rounds(said), said)
        for i, problem in enumerate(problems):
            answers = said[4 * i:4 * i + 4]
            fact(f"{problem[:60]} is measured", answers[:2] == ["ok", "ok"] and
                 answers[3] == "done", answers)


# ---- what can go wrong ---------------------------------------------------------------------------

def check_wrong_plans():
    other = "direct lanes=oc tile=1x2x1 order=rows border=peel"
    big = "ic16ih64oc16kh3ph1" # more outputs than are compared
    for problem in (SMALL, big, "ic1ih20iw30oc1kh3kw3ph1pw1;dtype=u8"):
        plan = chosen(problem)
        said = ask(f"problem {problem}", f"plan 0 {plan}", "race 1 1 0", f"plan 0 {plan}",
                   program=PLANTED, plant={"PLANT_WRONG": plan})
        fact(f"wrong outputs are seen: {problem}",
             all(re.match(r"wrong output \(0, \d+, \d+, \d+\) is \S+, not \S+", said[i])
                 for i in (1, 3)), said)
        fact(f"a wrong plan is not timed: {problem}", said[2] == "failed slot 0 has no plan", said)
    said = ask(f"problem {SMALL}", f"plan 0 {DIRECT}", f"plan 1 {other}", "race 1 1 0",
               program=PLANTED, plant={"PLANT_OUTSIDE": "tile=1x3x1"})
    fact("writing outside is seen", "outside of its outputs: element -1" in said[1], said)
    fact("and not taken for the next plan's", said[2] == "ok", said)
    said = ask(f"problem {SMALL}", f"plan 1 {other}", "race 2 1 1", f"plan 0 {DIRECT}",
               program=PLANTED, plant={"PLANT_WRONG": "tile=1x3x1"})
    fact("outputs of another plan's turns are not taken for its own", said[-1].startswith("wrong"),
         said)
    said = ask(f"problem {SMALL}", f"plan 0 {DIRECT}", program=PLANTED,
               plant={"PLANT_FAIL": "tile=1x3x1"})
    fact("a run that fails is wrong", said[1].startswith("wrong it does not run: "), said)


def check_crash():
    done = run(PLANTED, input=f"problem {SMALL}\nplan 0 {DIRECT}\nversion\n",
               env={**os.environ, "PLANT_CRASH": "tile=1x3x1"})
    fact("a crash ends it", done.returncode == -signal.SIGABRT and done.stdout == "ok\n", done)
    fact("and leaves no file", os.listdir(".") == [], os.listdir("."))


def ended(pid):
    """Is the process gone, or about to be?"""
    for _ in range(200):
        try:
            with open(f"/proc/{pid}/stat") as f:
                if f.read().rsplit(")", 1)[1].split()[0] == "Z":
                    return True
        except (FileNotFoundError, ProcessLookupError):
            return True
        time.sleep(0.05)
    return False


HANGS = """
import subprocess, sys, time
child = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
child.stdin.write(sys.argv[2])
child.stdin.flush()
child.stdout.readline()
print(child.pid, flush=True)
time.sleep(100)
"""


def check_orphan():
    """Killed without a chance to tell: the child ends all the same, though its kernel hangs."""
    requests = f"problem {SMALL}\nplan 0 {DIRECT}\n"
    parent = subprocess.Popen([sys.executable, "-c", HANGS, PLANTED, requests],
                              stdout=subprocess.PIPE, text=True,
                              env={**os.environ, "PLANT_HANG": "tile=1x3x1"})
    child = int(parent.stdout.readline())
    time.sleep(0.2)
    fact("it hangs", os.path.exists(f"/proc/{child}"))
    parent.kill()
    parent.wait()
    parent.stdout.close()
    fact("it does not outlive its parent", ended(child))


def check_environment():
    """Options of Google Benchmark's that the environment sets do not count."""
    strange = {"BENCHMARK_REPETITIONS": "3", "BENCHMARK_OUT": "file.json",
               "BENCHMARK_FORMAT": "console", "BENCHMARK_LIST_TESTS": "true",
               "BENCHMARK_FILTER": "nothing", "BENCHMARK_MIN_WARMUP_TIME": "1000"}
    said = ask(f"problem {SMALL}", f"plan 0 {DIRECT}", "race 1 1 0", plant=strange)
    fact("the environment changes nothing", len(said) == 4 and rounds(said), said)
    fact("nor makes files", os.listdir(".") == [], os.listdir("."))


def check_huge_pages():
    """It asks the allocator for huge pages, unless somebody else has said something."""
    for given in (None, "glibc.malloc.perturb=0"):
        environment = {k: v for k, v in os.environ.items() if k != "GLIBC_TUNABLES"}
        if given:
            environment["GLIBC_TUNABLES"] = given
        with subprocess.Popen([MEASURE], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              text=True, env=environment) as child:
            child.stdin.write("version\n")
            child.stdin.flush()
            fact("it answers", child.stdout.readline().startswith("ok "))
            with open(f"/proc/{child.pid}/environ", encoding="utf-8") as f:
                said = [v for v in f.read().split("\0") if v.startswith("GLIBC_TUNABLES=")]
            fact("huge pages are asked for, and once", len(said) == 1 and
                 ("hugetlb=1" in said[0] if not given else said[0].endswith(given)), said)


for check in (check_requests, check_bad_requests, check_usage, check_problems, check_wrong_plans,
              check_crash, check_orphan, check_environment, check_huge_pages):
    with scratch():
        check()
report()
