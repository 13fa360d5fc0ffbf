#!/usr/bin/python3
"""Files that cannot be written: what convc does when a system call on the way to one goes wrong.

    faults_contract.py CONVC FAULTS FAKE_MEASURE

Each call that opens for writing, writes, syncs, closes, renames or removes fails in turn with EIO,
ENOSPC, EACCES and EINTR, and writes half of what it should. The command ends well, or with 3 and a
sentence; what it wrote is whole or not there; the cache has no leftovers, no harmed entry and no
wrong kernel; databases are intact; and the next run is fine. CONVC_TEST_SCALE is the share of the
calls, in percent of a short slice; 100000 is all of them. Last line: "N passed, N failed".
"""
import glob
import os
import random
import shutil
import sqlite3
import subprocess
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
from facts import fact, report, scratch, write

CONVC, FAULTS, FAKE = (os.path.realpath(a) for a in sys.argv[1:4])
SCALE = int(os.environ.get("CONVC_TEST_SCALE", "100"))
PICTURE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))),
                       "specs/filters/picture.png")
ERRORS = ["short", "EIO", "ENOSPC", "EACCES", "EINTR"]

SPEC = 'return { convc.conv { name = "a", input = { 1, 2, 4, 5 }, out_channels = 3, ' \
       'kernel_size = 1 },\n convc.conv { name = "b", input = { 1, 3, 5, 4 }, out_channels = 2, ' \
       'kernel_size = 3 } }\n'
FILTER = 'return convc.conv { input = { 1, 3, convc.param("H", 4), convc.param("W", 4) }, ' \
         'weights = { { 1, 2, 1 } }, padding = "same", dtype = "u8" }\n'


def read(path):
    if not os.path.exists(path):
        return None
    with open(path, "rb") as f:
        return f.read()


def cache():
    return os.path.join(os.environ["XDG_CACHE_HOME"], "convc")


def convc(*arguments):
    return subprocess.run([CONVC, *arguments], capture_output=True, text=True)


def fault(error, n, arguments):
    """Ends as convc does; the call that failed, and how many there were."""
    done = subprocess.run([FAULTS, error, str(n), CONVC, *arguments], capture_output=True, text=True,
                          env=dict(os.environ, FAULTS_LOG="log"))
    if done.returncode == 77:
        print("programs cannot be traced here")
        sys.exit(77)
    with open("log") as log:
        name, count = log.read().split()
    return done, name, int(count)


class Files:
    """Files that a command writes: all of them are whole, or not there, or as before."""
    def __init__(self, name, arguments, outputs, exact=True):
        self.name, self.arguments, self.outputs, self.exact = name, arguments, outputs, exact

    def remove(self):
        for path in self.outputs:
            if os.path.exists(path):
                os.remove(path)
        shutil.rmtree(cache(), ignore_errors=True)

    def prepare(self):
        self.remove()
        done = convc(*self.arguments)
        fact(self.name, done.returncode == 0, done.stderr)
        self.right = {path: read(path) for path in self.outputs}
        self.remove()

    before = remove

    def trouble(self, code):
        for path in self.outputs:
            found = read(path)
            if code == 0 and found is None or found is not None and found != self.right[path] \
                    and (self.exact or not found):
                return f"{path} is not what it should be"
        leftovers = [f for f in os.listdir(".") if ".tmp" in f or f.endswith("~")]
        return f"left: {leftovers}" if leftovers else ""


class Database:
    """A database: intact, with every row of the command's or none."""
    def __init__(self, name, arguments, rows=None):
        self.name, self.arguments, self.rows = name, arguments, rows

    def before(self):
        for path in glob.glob("new.db*"):
            os.remove(path)

    def prepare(self):
        self.before()
        done = convc(*self.arguments)
        fact(self.name, done.returncode == 0, done.stderr)

    def trouble(self, code):
        if not os.path.exists("new.db") or os.path.getsize("new.db") == 0:
            return "" if code else "there is no database"
        with sqlite3.connect("new.db") as db:
            said = db.execute("PRAGMA integrity_check").fetchone()[0]
            tables = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
            rows = db.execute("SELECT count(*) FROM measurement").fetchone()[0] if tables else 0
        if said != "ok":
            return said
        if self.rows is not None and rows not in ((self.rows,) if code == 0 else (0, self.rows)):
            return f"{rows} rows"
        return ""


def cache_trouble():
    for path in glob.glob(os.path.join(cache(), ".tmp-*")):
        os.remove(path) # one whose removal failed too: the next to write sweeps it
        return f"{path} was left"
    return ""


def count_calls(subject, error):
    """How many there are that can fail in this way."""
    subject.before()
    return fault(error, 10 ** 6, subject.arguments)[2]


def check(subject, error, n):
    """One go."""
    subject.before()
    done, call, _ = fault(error, n, subject.arguments)
    what = f"{subject.name}: {error} of call {n} ({call})"
    lines = done.stderr.splitlines()
    harmless = error in ("short", "EINTR") and call in ("write", "pwrite") and \
        "standard output" not in done.stderr
    fact(what + " ends well or with 3", done.returncode == 0 or done.returncode == 3 and
         not harmless, f"{done.returncode}: {done.stderr}")
    fact(what + " is told", done.returncode == 0 or any(l.startswith("convc: ") for l in lines),
         done.stderr)
    trouble = subject.trouble(done.returncode)
    if call not in ("unlink", "unlinkat"):
        trouble = trouble or cache_trouble()
    fact(what + " leaves nothing half done", not trouble, trouble)
    verified = convc("cache", "verify")
    fact(what + " harms no entry", verified.returncode == 0, verified.stdout + verified.stderr)
    again = convc(*subject.arguments)
    trouble = again.stderr if again.returncode else subject.trouble(0)
    fact(what + " is forgotten by the next run", not trouble, trouble)


def main():
    random.seed(1)
    with scratch():
        os.environ["CONVC_MEASURE"] = FAKE
        os.environ["FAKE_MILLISECONDS"] = "0"
        write("two.lua", SPEC)
        write("filter.lua", FILTER)
        fact("tune", convc("tune", "two.lua", "--db", "old.db", "--trials", "2").returncode == 0)
        write("rows", convc("db", "export", "old.db").stdout)
        rows = len(open("rows").read().splitlines())
        fact("rows", rows > 0)
        subjects = [
            Files("run", ["run", "two.lua", "--json"], []),
            Files("npy", ["run", "ic3ih7oc5kh3ph1", "--output", "out.npy"], ["out.npy"]),
            Files("png", ["run", "filter.lua", "--input", PICTURE, "--output", "out.png"],
                  ["out.png"]),
            Files("compile", ["compile", "two.lua", "-o", "out", "--emit",
                              "obj,asm,ir,bc,header,lib", "--depfile", "two.d"],
                  ["two.d", "out/two.h", "out/libtwo.a"] +
                  [f"out/{k}.{e}" for k in "ab" for e in ("o", "s", "ll", "bc")]),
            Database("import", ["db", "import", "new.db", "rows"], rows),
            Database("merge", ["db", "merge", "new.db", "old.db"], rows),
            Database("tune", ["tune", "two.lua", "--db", "new.db", "--trials", "1"]),
        ]
        for subject in subjects:
            subject.prepare()
            some, every = count_calls(subject, "short"), count_calls(subject, "EIO")
            for error in ERRORS:
                count = some if error == "short" else every
                most = max(1, SCALE // 100)
                for n in sorted(random.sample(range(1, count + 1), min(most, count))):
                    check(subject, error, n)
    report()


main()
