#!/usr/bin/python3
"""The contract of tuning databases: writers that are killed or many, what travels, what is no
database, and what run, check, explain, bench and compile do with one.

    db_contract.py CONVC TUNE_WRITER [--kills N] [--seconds S] [--million]

--kills: how many writers are killed (200), --seconds: how long eight write at once (2), --million:
prints how long a look-up and a list take among a million measurements, which decides nothing.
Last line: "N passed, N failed".
"""
import argparse
import json
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
from facts import fact, report, run, scratch, write

arguments = argparse.ArgumentParser()
arguments.add_argument("convc")
arguments.add_argument("writer")
arguments.add_argument("--kills", type=int,
                       default=max(1, 2 * int(os.environ.get("CONVC_TEST_SCALE", 100))))
arguments.add_argument("--seconds", type=float, default=2)
arguments.add_argument("--million", action="store_true")
arguments = arguments.parse_args()
CONVC, WRITER = os.path.realpath(arguments.convc), os.path.realpath(arguments.writer)
VERSION, LLVM, TARGET = run(WRITER, "versions").stdout.split()

SPEC = "ic8ih9iw9oc16oh9ow9kh3kw3ph1pw1"


def convc(*words, **options):
    return run(CONVC, *words, **options)


def refuses(code, sentence, *words, **options):
    """Exit code, and one sentence on standard error that has these words."""
    done = convc(*words, **options)
    said = f"exit {done.returncode}\n{done.stdout[:300]}\n{done.stderr}"
    fact(f"{' '.join(words)[:80]} ends with {code}", done.returncode == code, said)
    fact(f"{' '.join(words)[:80]} says: {sentence}", sentence in done.stderr
         and done.stderr.count("\n") == 1 and done.stderr.startswith("convc: ")
         and not done.stdout, said)


def lines(database):
    """All that is in it, sorted."""
    done = convc("db", "export", database)
    fact(f"db export {database}", done.returncode == 0, done.stderr)
    return sorted(done.stdout.splitlines())


def sound(database):
    with sqlite3.connect(database) as db:
        return db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def measurement(**members):
    """A line of a measurement in which `plan` is really faster."""
    line = {"id": f"{random.getrandbits(128):032x}", "target": TARGET, "convc": VERSION,
            "llvm": LLVM, "base": "base", "outcome": "measured", "rung": 0, "rounds": 9,
            "ratio": 0.9, "low": 0.85, "high": 0.95, "at": 1700000000}
    return json.dumps({**line, **members})


def named(problem):
    """As the database names it: in full, of batch 1."""
    return convc("explain", problem, "--show", "problem").stdout.split()[1].replace("mb2", "mb1")


def put(database, *measurements):
    done = convc("db", "import", database, "-", input="".join(m + "\n" for m in measurements))
    fact(f"{len(measurements)} rows into {database}",
         done.stdout == f"{len(measurements)} added\n", done.stderr)


# ---- writers -------------------------------------------------------------------------------------

def kill_one(tag, rng):
    """The numbers that it told before it was killed."""
    with subprocess.Popen([WRITER, "forever", "killed.db", tag], stdout=subprocess.PIPE,
                          text=True) as child:
        told = [child.stdout.readline()]
        time.sleep(rng.random() * 0.03)
        child.send_signal(signal.SIGKILL)
        told += child.stdout.readlines()
    return [int(line) for line in told if line.endswith("\n")]


def check_kills():
    rng = random.Random(1)
    wrong = []
    for i in range(arguments.kills):
        tag = f"tag{i}"
        told = kill_one(tag, rng)
        kept = convc("db", "export", "killed.db") if i % 20 == 19 else None
        with sqlite3.connect("killed.db") as db:
            count, = db.execute("SELECT count(*) FROM measurement WHERE note = ?",
                                [tag]).fetchone()
        if not (told and count - len(told) in (0, 1) and sound("killed.db")
                and (not kept or kept.returncode == 0)):
            wrong.append((tag, len(told), count))
    fact(f"{arguments.kills} writers are killed, and lose at most the row under way", not wrong,
         wrong)
    put("killed.db", measurement(problem=SPEC, plan="a"))
    fact("nothing is left beside it", os.listdir(".") == ["killed.db"], os.listdir("."))


def check_killed_import():
    write("rows.json", "".join(measurement(problem=f"p{i % 50}", plan=f"{i}") + "\n"
                               for i in range(3000)))
    found = set()
    for delay in (0.03, 0.05, 0.08, 0.12):
        with subprocess.Popen([CONVC, "db", "import", "imported.db", "rows.json"],
                              stdout=subprocess.DEVNULL) as child:
            time.sleep(delay)
            child.kill()
        said = convc("db", "export", "imported.db")
        fact("a database that was not finished is there, empty or absent", said.returncode == 0
             or "it is empty" in said.stderr or "No such file" in said.stderr, said.stderr)
        found.add(len(said.stdout.splitlines()))
    fact("an import that is killed adds all rows or none", found <= {0, 3000}, found)


def check_writers():
    """Eight at once, and a reader beside them."""
    writers = [subprocess.Popen([WRITER, "seconds", "shared.db", f"w{i}", str(arguments.seconds)],
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
               for i in range(8)]
    readers, failed = 0, []
    while any(w.poll() is None for w in writers):
        time.sleep(0.05)
        if os.path.exists("shared.db") and os.path.getsize("shared.db"):
            done = convc("db", "list", "shared.db")
            readers += 1
            if done.returncode:
                failed.append(done.stderr)
    told = [w.communicate() for w in writers]
    fact("eight writers end well", all(w.returncode == 0 for w in writers), told)
    fact("none says anything", all(not said[1] for said in told), told)
    fact("who reads meanwhile sees no error", readers and not failed, failed)
    counts = [int(said[0]) for said in told]
    with sqlite3.connect("shared.db") as db:
        kept = dict(db.execute("SELECT note, count(*) FROM measurement GROUP BY note"))
    fact("no row is lost", kept == {f"w{i}": n for i, n in enumerate(counts) if n}, (counts, kept))
    fact("all got their turn", min(counts) > 0, counts)
    fact("the database is sound", sound("shared.db"))
    print(f"eight writers wrote {sum(counts)} rows in {arguments.seconds:g} seconds, "
          f"{min(counts)} to {max(counts)} each")


# ---- travel --------------------------------------------------------------------------------------

def merged(name, *databases):
    done = convc("db", "merge", name, *databases)
    fact(f"db merge {name} {' '.join(databases)}", done.returncode == 0, done.stderr)
    return lines(name)


def check_merge():
    rows = [measurement(problem=f"p{i % 3}", plan=f"plan {i}") for i in range(30)]
    put("a.db", *rows[:15])
    put("b.db", *rows[10:25])
    put("c.db", *rows[5:12], *rows[20:])
    merged("ab.db", "a.db", "b.db")
    merged("bc.db", "b.db", "c.db")
    left, right = merged("left.db", "ab.db", "c.db"), merged("right.db", "a.db", "bc.db")
    fact("merging is associative", left == right and len(left) == 30, len(left))
    fact("and commutative", left == merged("back.db", "c.db", "b.db", "a.db"))
    fact("and idempotent", left == merged("left.db", "left.db", "ab.db", "left.db"))
    fact("it counts", convc("db", "merge", "a.db", "b.db").stdout == "10 added\n")
    fact("also as JSON",
         json.loads(convc("db", "merge", "a.db", "c.db", "--json").stdout) == {"added": 5})
    write("all.json", convc("db", "export", "left.db").stdout)
    fact("import", convc("db", "import", "again.db", "all.json").stdout == "30 added\n")
    fact("what was exported comes back", lines("again.db") == left)
    fact("and is the same", convc("db", "merge", "again.db", "left.db").stdout == "0 added\n")


def check_list():
    put("list.db", measurement(problem=SPEC, plan="direct tile=1x2x3"),
        measurement(problem=SPEC, plan="direct tile=1x2x3", rung=1, ratio=0.8, low=0.75, high=0.85),
        measurement(problem=SPEC, plan="x", outcome="hung"), measurement(problem="p", plan="x"))
    full = named(SPEC)
    put("list.db", measurement(problem=full, plan="direct tile=1x4x1", ratio=1.2, high=1.3))
    table = convc("db", "list", "list.db").stdout.splitlines()
    fact("a line a problem, and one of heads", len(table) == 4, table)
    fact("with winner, ratio, interval and counts",
         any(row.split()[0] == SPEC and row.split()[3:7] == ["3", "1", "0.800", "0.750-0.850"]
             and row.endswith("direct tile=1x2x3") for row in table), table)
    one = convc("db", "list", "list.db", SPEC, SPEC).stdout.splitlines()
    fact("one problem, once", len(one) == 2 and one[1].split()[0] == full
         and one[1].endswith(" base"), one)
    shown = convc("db", "list", "list.db", SPEC, "--json").stdout.splitlines()
    fact("a JSON object a measurement", [json.loads(s)["problem"] for s in shown] == [full], shown)
    fact("of all", len(convc("db", "list", "list.db", "--json").stdout.splitlines()) == 5)
    write("s.lua", 'return convc.conv { input = { 7, 8, convc.param("H", 3), 9 }, out_channels = 16,'
          ' kernel_size = 3, padding = 1 }')
    fact("specs and parameters", len(convc("db", "list", "list.db", "s.lua", "-D", "H=9")
                                     .stdout.splitlines()) == 2)


# ---- what is no database -------------------------------------------------------------------------

def check_refusals():
    put("good.db", measurement(problem=SPEC, plan="a"))
    write("text.db", "this is a text\n" * 100)
    write("empty.db", "")
    good = open("good.db", "rb").read()
    with open("cut.db", "wb") as f:
        f.write(good[:5000])
    with open("newer.db", "wb") as f:
        f.write(good)
    with sqlite3.connect("newer.db") as db:
        db.execute("PRAGMA user_version = 99")
    with sqlite3.connect("other.db") as db:
        db.execute("CREATE TABLE measurement (x)")
    os.mkdir("directory.db")
    bad = {"text.db": "is no tuning database", "empty.db": "it is empty", "cut.db": "is damaged",
           "newer.db": "has schema 99, of a newer convc", "other.db": "is no tuning database",
           "directory.db": "is no regular file", "none.db": "No such file"}
    for name, words in bad.items():
        refuses(2, words, "run", SPEC, "--db", name, "--no-timing")
        refuses(2, words, "compile", SPEC, "--db", name, "-o", "out")
        refuses(2, words, "db", "list", name)
        refuses(2, words, "db", "merge", "into.db", "good.db", name)
        fact(f"{name}: nothing is made", not os.path.exists("into.db") and
             not os.path.exists("out"))
    for command in ("check", "explain"):
        refuses(2, "is no tuning database", command, SPEC, "--db", "text.db")
    refuses(2, "is no tuning database", "db", "import", "text.db", "-", input="")
    refuses(2, "stdin:1: this is no JSON object", "db", "import", "good.db", "-", input="rows\n")
    refuses(2, "nowhere.json cannot be opened", "db", "import", "good.db", "nowhere.json")
    refuses(3, "No such file", "db", "import", "nowhere/x.db", "-", input="")
    refuses(2, "db needs one of list, merge, export and import", "db")
    refuses(2, "db burn is none of list", "db", "burn", "good.db")
    refuses(2, "db merge INTO FROM...: there are 1 words behind merge", "db", "merge", "good.db")
    refuses(2, "no option --db", "cache", "list", "--db", "good.db")
    refuses(2, "exclude each other", "compile", SPEC, "--db", "good.db", "-o", "out",
            "--optimize", "size")
    os.rename("good.db", "libx.a")
    refuses(2, "would replace a file that is read", "compile", SPEC, "--db", "libx.a", "-o", ".",
            "--library", "x")


# ---- what uses one -------------------------------------------------------------------------------

def plans_of(target):
    """Two plans of the problem on the target: the cost model's, and another."""
    explained = convc("explain", SPEC, "--target", target, "--show", "plan").stdout.splitlines()
    chosen = next(row[9:] for row in explained if row.startswith("plan "))
    others = [row.split("  (+")[0].split(None, 1)[1] for row in explained
              if "  (+" in row and "<-" not in row]
    return chosen, others[-1]


def plan_of(*words):
    done = convc(*words)
    fact(" ".join(words)[:90], done.returncode == 0, done.stderr)
    return json.loads(done.stdout.splitlines()[0])["plan"]


def check_use():
    problem = named(SPEC)
    chosen, other = plans_of("native")
    fact("there are two plans", chosen != other, (chosen, other))
    put("use.db", measurement(problem=problem, plan=other, base=chosen))
    db = ["--db", "use.db"]
    fact("run takes the winner's plan",
         plan_of("run", SPEC, "--json", "--no-timing", *db) == other)
    fact("and without it the model's", plan_of("run", SPEC, "--json", "--no-timing") == chosen)
    fact("--plan goes before", plan_of("run", SPEC, "--json", "--no-timing", *db, "--plan",
                                       chosen) == chosen)
    fact("check takes it", plan_of("check", SPEC, "--json", *db) == other)
    said = convc("explain", SPEC, *db).stdout
    fact("explain shows it", f"plan     {other}\n" in said, said)
    fact("and why", "by the tuning database: 0.900 of the time of the cost model's choice "
         "(0.850 to 0.950, 95 %)" in said, said)
    if os.path.exists(os.path.join(os.path.dirname(CONVC), "bench", "convc-bench")):
        fact("bench takes it", plan_of("bench", SPEC, "--peers", "none", "--json", "--threads",
                                       "1", *db) == other)
    forged = measurement(problem=problem, plan="direct tile=9999x9999x9999", base=chosen, rung=5)
    put("use.db", forged)
    fact("a winner that does not fit is passed over",
         plan_of("run", SPEC, "--json", "--no-timing", *db) == chosen)
    with sqlite3.connect("use.db") as base:
        base.execute("DELETE FROM measurement WHERE rung = 5")
    os.chmod("use.db", 0o444)
    fact("from a file that may only be read",
         plan_of("run", SPEC, "--json", "--no-timing", *db) == other)


def check_compile():
    """One library for two targets, of which one has a winner, and for two problems."""
    write("two.lua", """
        local function layer(name, ic, h, oc)
            return convc.conv { name = name, input = { 3, ic, h, h }, out_channels = oc,
                                kernel_size = 3, padding = 1 }
        end
        return { layer("first", 8, 9, 16), layer("second", 4, 7, 8) }""")
    problem = named(SPEC)
    target = "x86_64-pc-linux-gnu:x86-64-v3"
    chosen, other = plans_of("x86-64-v3")
    plain, _ = plans_of("x86-64")
    fact("there are two plans for x86-64-v3", chosen != other, (chosen, other))
    put("aot.db", measurement(problem=problem, plan=other, base=chosen, target=target))
    words = ["compile", "two.lua", "-o", "out", "--target", "x86-64,x86-64-v3", "--depfile", "d",
             "--db", "aot.db"]
    done = convc(*words)
    fact("compile --db", done.returncode == 0, done.stderr)
    header = open("out/two.h").read()
    fact("the header has the winner's plan", header.count(other) == 1, header)
    fact("and the model's for the other target", plain in header, header)
    fact("the depfile names the database", "aot.db" in open("d").read(), open("d").read())
    library = open("out/libtwo.a", "rb").read()
    convc(*words)
    fact("the same database gives the same bytes", library == open("out/libtwo.a", "rb").read())
    convc(*words[:-2])
    fact("without it the model chooses", other not in open("out/two.h").read())


# ---- figures -------------------------------------------------------------------------------------

def print_figures():
    run(WRITER, "many", "million.db", 1000000, 25000)
    print(f"a million measurements of 25000 problems: {os.path.getsize('million.db') >> 20} MiB")
    print(run(WRITER, "look", "million.db", 25000).stdout, end="")
    problem = "g1mb1ic64ih100iw56oc64oh100ow56kh3kw3sh1sw1dh0dw0ph1pw1;bias;act=relu"
    for words in (["--help"], [problem]):
        start = time.monotonic()
        convc("db", "list", "million.db", *words)
        print(f"convc db list million.db {words[0][:6]}: {(time.monotonic() - start) * 1e3:.0f} ms")


for check in (check_kills, check_killed_import, check_writers, check_merge, check_list,
              check_refusals, check_use, check_compile):
    with scratch():
        check()
if arguments.million:
    with scratch():
        print_figures()
report()
