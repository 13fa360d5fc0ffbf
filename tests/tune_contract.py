#!/usr/bin/python3
"""Sweeps as a whole: killed, shared, interrupted, given plans that go wrong.

    tune_contract.py CONVC FAKE PLANTED [--long]

FAKE is convc-measure as a sham (support/fake_measure.c), by which most sweeps here are measured;
PLANTED is the real one with faults planted (support/planted.c), or the word none. Last line:
"N passed, N failed".
"""
import os
import pty
import random
import re
import select
import shutil
import signal
import sys
import time
from html.parser import HTMLParser

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
import sweeps
from facts import fact, report, run, scratch, write
from sweeps import kill, objects, rows, start, tune

CONVC, FAKE, PLANTED = sys.argv[1:4]
LONG = "--long" in sys.argv
SCALE = int(os.environ.get("CONVC_TEST_SCALE", "100")) / 100
ALL = "1000000"

SPEC = """return {
    convc.conv { name = "one", input = { 1, 1, 9, 9 }, out_channels = 1, kernel_size = 3 },
    convc.conv { name = "groups", input = { 1, 8, 9, 9 }, out_channels = 8, kernel_size = 3,
                 groups = 8 },
    convc.conv { name = "again", input = { 4, 1, 9, 9 }, out_channels = 1, kernel_size = 3 },
}"""


def one_sentence(name, done, code, words):
    said = done.stderr
    fact(name, done.returncode == code and words in said and said.count("\n") == 1 and
         said.startswith("convc: ") and not done.stdout, (done.returncode, done.stdout, said))


# ---- what is asked -------------------------------------------------------------------------------


def check_usage():
    os.mkdir("directory")
    write("text", "no database")
    write("broken.lua", "return convc.conv {")
    bad = {
        "a shard beyond": (["--shard", "5/4"], 2, "--shard=5/4"),
        "shard 0": (["--shard", "0/4"], 2, "--shard=0/4"),
        "a shard of letters": (["--shard", "x"], 2, "--shard=x"),
        "auto of letters": (["--shard", "auto/x"], 2, "--shard=auto/x"),
        "auto without a launcher": (["--shard", "auto"], 2, "neither Slurm"),
        "no trials": (["--trials", "0"], 2, "--trials=0"),
        "negative trials": (["--trials", "-1"], 2, "--trials=-1"),
        "no time": (["--budget", "0"], 2, "--budget=0"),
        "no patience": (["--patience", "0"], 2, "--patience=0"),
        "a directory": (["--db", "directory"], 2, "directory"),
        "a text": (["--db", "text"], 2, "no tuning database"),
        "nowhere": (["--db", "no/where.db"], 3, "no/where.db"),
    }
    for name, (words, code, said) in bad.items():
        db = [] if "--db" in words else ["--db", "t.db"]
        one_sentence(name, tune("spec.lua", *db, *words), code, said)
    one_sentence("no database", tune("spec.lua"), 2, "--db")
    one_sentence("a spec that is none", tune("broken.lua", "--db", "t.db"), 2, "broken.lua:1")
    one_sentence("no convc-measure", tune("spec.lua", "--db", "t.db", CONVC_MEASURE="/no/where"), 3,
                 "/no/where")
    fact("nothing was made", not os.path.exists("t.db"))


def check_dry_run():
    done = tune("spec.lua", "--db", "t.db", "--dry-run")
    lines = done.stdout.splitlines()
    plans = [line for line in lines if re.match(r"\d+\.\d{3} \w+ ", line)]
    fact("dry: the space and its size", done.returncode == 0 and lines[0] == "one" and
         "groups" in lines and plans[0].startswith("1.000 ") and
         done.stderr == f"2 convolutions, {len(plans)} plans\n", done.stdout + done.stderr)
    fact("dry: makes no database", not os.path.exists("t.db"))
    sizes = {o["name"]: o["plans"] for o in objects(tune("spec.lua", "--dry-run", "--json"))}
    fact("dry: as JSON", sum(sizes.values()) == len(plans) and sizes["one"] > 10, sizes)


def check_sweep():
    done = tune("spec.lua", "--db", "t.db", "--json")
    found = objects(done)
    kept = rows("t.db")
    fact("equal convolutions are tuned once", [o["name"] for o in found] == ["one", "groups"] and
         [o["times"] for o in found] == [2, 1], done)
    fact("40 plans are tried of each", len({(row[0], row[1]) for row in kept}) == 80, kept)
    fact("all of them are kept", sum(o["new"] for o in found) == len(kept), (found, kept))
    fact("there are looks of every rung", {row[2] for row in kept} == {0, 1, 2, 3}, kept)
    fact("the cost model is beaten", all(o["high"] < 1 for o in found), found)
    again = tune("spec.lua", "--db", "t.db", "--json")
    fact("again, there is nothing to do", [o["new"] for o in objects(again)] == [0, 0] and
         "; 0 new measurements in t.db\n" in again.stderr and rows("t.db") == kept, again)
    tune("spec.lua", "--db", "other.db")
    fact("another sweep finds the same", rows("other.db") == kept)
    text = tune("spec.lua", "--db", "t.db", "--trials", "60")
    fact("more trials go on", set(kept) < set(rows("t.db")), text)
    fact("plain lines, no bar", re.fullmatch(r"one +\d+ measured, +\d+ plans .*\ngroups .*\n",
                                             text.stdout) and "\r" not in text.stderr, text)


def check_budget():
    begin = time.monotonic()
    done = tune("spec.lua", "--db", "t.db", "--budget", "3", "--trials", ALL,
                FAKE_MILLISECONDS="60")
    seconds = time.monotonic() - begin
    fact("a budget is kept to", done.returncode == 0 and 2 < seconds < 60, (seconds, done))
    fact("it is said that time was over", "time" in done.stderr and "goes on" in done.stderr, done)
    both = {row[0] for row in rows("t.db")}
    fact("every convolution has its share of it", len(both) == 2, both)
    done = tune("spec.lua", "--db", "t.db", "--budget", "1", FAKE_MILLISECONDS="3600000")
    fact("it ends what is under way", done.returncode == 0, done)


# ---- ended at any moment -------------------------------------------------------------------------


def lines_of(path):
    return open(path).read().count("\n") if os.path.exists(path) else 0


def sweep_with_kills(db, draw, pause, most):
    """Kills at random moments, until a sweep comes to its end; the number of kills."""
    kills = 0
    while kills < most:
        before = len(rows(db))
        child = start("spec.lua", "--db", db, FAKE_LOG="raced", FAKE_MILLISECONDS="5")
        try:
            child.communicate(timeout=draw.uniform(0, pause))
            return kills
        except sweeps.subprocess.TimeoutExpired:
            kill(child)
        kills += 1
        fact("nobody is left of a killed sweep", sweeps.nobody_is_left(child.pid))
        kept = len(rows(db)) - before
        fact(f"kill {kills} loses one measurement at most",
             lines_of("raced") - kept in (0, 1), (lines_of("raced"), kept))
        fact(f"kill {kills} leaves the database whole", not os.path.exists(db) or
             sweeps.is_whole(db))
        if os.path.exists("raced"):
            os.remove("raced")
    tune("spec.lua", "--db", db)
    return kills


def check_kills():
    most, kills, seed = 200 if LONG else max(3, round(20 * SCALE)), 0, random.randrange(10**6)
    print(f"kills: seed {seed}")
    draw, begin = random.Random(seed), time.monotonic()
    tune("spec.lua", "--db", "whole.db", FAKE_MILLISECONDS="5")
    pause = (time.monotonic() - begin) / 2
    whole = tune("spec.lua", "--db", "whole.db", "--json").stdout
    while kills < most:
        for name in os.listdir("."):
            if name.startswith(("killed.db", "raced")):
                os.remove(name)
        kills += sweep_with_kills("killed.db", draw, pause, most - kills)
        fact("a sweep that was killed ends with what one has that was not",
             rows("killed.db") == rows("whole.db"))
        fact("and with the same winners",
             tune("spec.lua", "--db", "killed.db", "--json").stdout == whole)


def check_writers():
    until, kept, new = time.monotonic() + (60 if LONG else 0), 0, 0
    while True:
        more = ["--trials", ALL] if LONG else []
        children = [start("spec.lua", "--db", "t.db", "--json", *more) for _ in range(8)]
        ended = [(child.communicate(), child.returncode) for child in children]
        for (out, said), code in ended:
            fact("one of 8 writers is fine", code == 0 and "convc: " not in said, said)
            new += sum(sweeps.json.loads(line)["new"] for line in out.splitlines())
        if time.monotonic() >= until:
            break
        kept += len(rows("t.db"))
        os.remove("t.db")
    kept += len(rows("t.db"))
    fact("8 writers lose nothing", kept == new and sweeps.is_whole("t.db"), (kept, new))


# ---- plans that go wrong -------------------------------------------------------------------------


def check_faults():
    if PLANTED == "none":
        print("convc-measure is not built here: no faults are planted")
        return
    space = [plan for _, plan in sweeps.space("ic8ih9oc8kh1")]
    for variable, code in (("PLANT_CRASH", 2), ("PLANT_HANG", 3), ("PLANT_WRONG", 1)):
        plan = space[0]
        db = f"{variable}.db"
        done = tune("ic8ih9oc8kh1", "--db", db, "--trials", "9", "--json", "--patience", "5",
                    CONVC_MEASURE=PLANTED, **{variable: plan})
        found, kept = objects(done), rows(db)
        outcome = {row[1]: row[3] for row in kept}
        fact(f"{variable}: recorded", outcome.get(plan) == code, (plan, kept, done))
        fact(f"{variable}: the sweep completes", done.returncode == 0 and len(kept) >= 2 and
             sum(v == 0 for v in outcome.values()) >= 1, (kept, done))
        fact(f"{variable}: does not win", found and found[0]["plan"] != plan, found)
        again = tune("ic8ih9oc8kh1", "--db", db, "--trials", "9", "--patience", "5",
                     CONVC_MEASURE=PLANTED)
        fact(f"{variable}: is not tried again", rows(db) == kept, again)


def check_base_fails():
    """What cannot be measured at all is told, and the next one has its turn."""
    if PLANTED == "none":
        return
    base = objects(tune("ic1ih9oc1kh3", "--dry-run", "--json"))[0]["space"].split(" ", 1)[1]
    done = tune("ic1ih9oc1kh3", "ic8ih9oc8kh1", "--db", "t.db", "--trials", "2",
                CONVC_MEASURE=PLANTED, PLANT_WRONG=base.splitlines()[0])
    fact("a convolution that cannot be measured is told, and the sweep goes on",
         done.returncode == 1 and "1 convolution could not be measured" in done.stderr and
         len({row[1] for row in rows("t.db")}) == 2, done)


def check_spoilt():
    """A child that dies between two requests costs nobody a measurement."""
    tune("spec.lua", "--db", "whole.db")
    done = tune("spec.lua", "--db", "t.db", FAKE_RACES="3")
    fact("nobody is blamed for a child that was spoilt before", done.returncode == 0 and
         rows("t.db") == rows("whole.db"), (done, set(rows("t.db")) ^ set(rows("whole.db"))))


# ---- shards --------------------------------------------------------------------------------------


def merge(into, *sources):
    done = run(CONVC, "db", "merge", into, *sources)
    fact(f"{into}: merged", done.returncode == 0, done.stderr)


def is_union(name, databases):
    """Merged, they have every plan once, and look as if one machine had made them."""
    merge("all.db", *databases)
    whole = {plan for _, plan in sweeps.space("spec.lua")}
    looks = sweeps.plans("all.db")
    fact(f"{name}: the union is the space", {plan for _, plan in looks} == whole and
         len(looks) == len(sweeps.space("spec.lua")), looks)
    if not os.path.exists("single.db"):
        tune("spec.lua", "--db", "single.db", "--trials", ALL)
    fact(f"{name}: the key set is one machine's", looks == sweeps.plans("single.db"))
    schema = "SELECT type, name, sql FROM sqlite_schema ORDER BY name"
    fact(f"{name}: so is the schema", sweeps.ask("all.db", schema) ==
         sweeps.ask("single.db", schema))
    counts = [len(sweeps.plans(db)) for db in databases]
    fact(f"{name}: shards balance", max(counts) - min(counts) <= 4, counts)
    again = tune("spec.lua", "--db", "all.db", "--trials", "1", "--json")
    fact(f"{name}: all of it counts where one goes on", [o["new"] for o in objects(again)] ==
         [0, 0], again)
    os.remove("all.db")


def check_shards():
    dbs = [f"f-{i}.db" for i in range(1, 5)]
    for i in range(1, 5):
        done = tune("spec.lua", "--db", "f-%r.db", "--shard", f"{i}/4", "--trials", ALL)
        fact(f"shard {i} of 4", done.returncode == 0, done)
    is_union("shards", dbs)
    parts = [sweeps.space("spec.lua", "--shard", f"{i}/3") for i in (1, 2, 3)]
    fact("dry: the parts are the space", sorted(sum(parts, [])) ==
         sorted(sweeps.space("spec.lua")), parts)


def check_slurm():
    step = [dict(SLURM_PROCID=str(i), SLURM_NTASKS="4") for i in range(4)]
    array = [dict(SLURM_ARRAY_TASK_ID=str(i), SLURM_ARRAY_TASK_MIN="3", SLURM_ARRAY_TASK_COUNT="4",
                  SLURM_ARRAY_TASK_STEP="2") for i in range(3, 11, 2)]
    both = [dict(SLURM_ARRAY_TASK_ID=str(i // 2), SLURM_ARRAY_TASK_MIN="0",
                 SLURM_ARRAY_TASK_COUNT="2", SLURM_PROCID=str(i % 2), SLURM_NTASKS="2")
            for i in range(4)]
    for name, tasks in (("step", step), ("array", array), ("steps in an array", both)):
        said = [tune("spec.lua", "--db", f"{name}-%r.db", "--shard", "auto", "--trials", ALL, **task)
                for task in tasks]
        fact(f"Slurm, {name}", all(done.returncode == 0 for done in said), said)
        is_union(f"Slurm, {name}", [f"{name}-{i}.db" for i in range(1, 5)])


MPIRUN = ("mpirun", "--allow-run-as-root", "--oversubscribe", "-np", "4")
SWEEP = ("spec.lua", "--db", "f-%r.db", "--shard", "auto", "--trials", ALL)

DYING = """#!/bin/sh
if [ "$OMPI_COMM_WORLD_RANK$PARALLEL_SEQ" = 2 ] && [ ! -e died ]; then
    touch died
    (while [ ! -e begun ]; do sleep 0.05; done; kill -9 $$) &
fi
exec "$@"
"""


def forget():
    for name in os.listdir("."):
        if name.startswith(("f-", "died", "begun")):
            os.remove(name)


def with_a_death(words, milliseconds, dbs):
    """A launcher that runs dying.sh, one of whose processes dies when all have begun."""
    launcher = sweeps.subprocess.Popen(words,
                                       env=sweeps.environment(FAKE_MILLISECONDS=milliseconds),
                                       stdout=sweeps.subprocess.PIPE,
                                       stderr=sweeps.subprocess.PIPE, text=True)
    for db in dbs:
        sweeps.await_rows(db, 1, launcher)
    write("begun", "")
    return launcher, launcher.communicate()


def check_mpirun():
    if not shutil.which("mpirun"):
        print("mpirun is not here: no sweep is started by it")
        return
    dbs = [f"f-{i}.db" for i in range(1, 5)]
    done = run(*MPIRUN, CONVC, "tune", *SWEEP, env=sweeps.environment())
    fact("mpirun", done.returncode == 0, done)
    is_union("mpirun", dbs)
    forget()
    launcher, said = with_a_death([*MPIRUN, "./dying.sh", CONVC, "tune", *SWEEP], "50", dbs)
    fact("mpirun: tells of a rank that died", launcher.returncode != 0, said)
    fact("mpirun: the others' databases are whole", all(map(sweeps.is_whole, dbs)))
    done = run(*MPIRUN, CONVC, "tune", *SWEEP, env=sweeps.environment())
    fact("mpirun: again", done.returncode == 0, done)
    is_union("mpirun, after a death", dbs)


def check_parallel():
    if not shutil.which("parallel"):
        print("GNU parallel is not here: no sweep is started by it")
        return
    dbs = [f"f-{i}.db" for i in range(1, 5)]
    def line(shard, *before):
        return ["parallel", "--will-cite", "--plus", "-j", "4", "-n0", *before, CONVC, "tune", "spec.lua",
                "--db", "f-%r.db", "--shard", shard, "--trials", ALL, ":::", *"abcd"]
    for shard in ("auto/4", "{#}/{##}"):
        done = run(*line(shard), env=sweeps.environment())
        fact(f"parallel, {shard}", done.returncode == 0, done)
        is_union(f"parallel, {shard}", dbs)
        forget()
    launcher, said = with_a_death(line("auto/4", "./dying.sh"), "20", dbs)
    fact("parallel: tells of a job that died", launcher.returncode == 1, said)
    fact("parallel: all databases are whole", all(map(sweeps.is_whole, dbs)))
    done = tune("spec.lua", "--db", "f-2.db", "--shard", "2/4", "--trials", ALL)
    fact("parallel: that part again", done.returncode == 0, done)
    is_union("parallel, after a death", dbs)


# ---- a person at the terminal --------------------------------------------------------------------


def check_interrupt():
    for number in (signal.SIGINT, signal.SIGTERM):
        child = start("spec.lua", "--db", "t.db", FAKE_MILLISECONDS="1000000")
        while len(sweeps.session(child.pid)) < 2 and child.poll() is None:
            time.sleep(0.01)
        os.kill(child.pid, number)
        os.killpg(child.pid, number)  # as timeout(1) does
        out, said = child.communicate()
        fact(f"{number.name}: ends by the signal", child.returncode == -number, child.returncode)
        fact(f"{number.name}: says how to go on", "the same command goes on" in said, said)
        fact(f"{number.name}: leaves nobody", sweeps.nobody_is_left(child.pid))
        fact(f"{number.name}: leaves a database", sweeps.is_whole("t.db"))
    child = start("spec.lua", "--db", "t.db", "--trials", ALL, FAKE_MILLISECONDS="20")
    sweeps.await_rows("t.db", 5, child)
    os.killpg(child.pid, signal.SIGINT)
    child.communicate()
    kept = len(rows("t.db"))
    fact("what was measured is kept", kept >= 5 and child.returncode == -signal.SIGINT, kept)


def typed(words, patient, key):
    """On a terminal of its own; the key is typed once the bar is there. What was shown."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(CONVC, [CONVC, "tune", *words],
                  sweeps.environment(FAKE_MILLISECONDS=patient, TERM="xterm"))
    shown = b""
    while True:
        select.select([terminal], [], [])
        try:
            more = os.read(terminal, 4096)
        except OSError:
            more = b""
        if not more:
            break
        shown += more
        if key and b"best" in shown:
            os.write(terminal, key)
            key = b""
    status = os.waitpid(pid, 0)[1]
    os.close(terminal)
    return pid, status, shown.decode()


def check_terminal():
    pid, status, shown = typed(["spec.lua", "--db", "t.db"], "5", b"")
    bars = re.findall(r"\r\[[#.]{20}\] +\d+% (?:\d+:\d\d|-:--) left  \w+ \d+/\d+ +best \d\.\d{3}",
                      shown)
    fact("a bar with time left and the best so far", status == 0 and len(bars) > 1, shown)
    fact("it is wiped before anything else", shown.rindex("\r\x1b[K") > shown.rindex("] "), shown)
    pid, status, shown = typed(["spec.lua", "--db", "t.db", "--trials", ALL], "100000", b"\x03")
    fact("Ctrl-C ends it by the signal", os.WIFSIGNALED(status) and
         os.WTERMSIG(status) == signal.SIGINT, (status, shown))
    fact("Ctrl-C: wipes the bar and says how to go on",
         "\r\x1b[K" in shown and "the same command goes on" in shown, shown)
    fact("Ctrl-C: nobody is left", sweeps.nobody_is_left(pid))
    fact("Ctrl-C: the database is whole", sweeps.is_whole("t.db"))


# ---- the report ----------------------------------------------------------------------------------

VOID = {"meta", "br"}


class Page(HTMLParser):
    """Elements that do not match, texts, and what refers to something outside."""

    def __init__(self, text):
        super().__init__()
        self.open, self.bad, self.outside, self.tags, self.text = [], [], [], [], ""
        self.feed(text)
        self.bad += self.open

    def handle_starttag(self, tag, attributes):
        self.tags.append(tag)
        self.outside += [value for name, value in attributes if name in ("src", "href")]
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.bad.append((tag, self.getpos()))

    def handle_data(self, data):
        self.text += data


def check_report():
    done = tune("spec.lua", "--db", "t.db", "--report", "r.html")
    text = open("r.html").read()
    page = Page(text)
    fact("a report is well-formed", done.returncode == 0 and not page.bad, (page.bad, done))
    fact("it needs nothing from outside", not page.outside and "url(" not in text and
         "http" not in text and "@import" not in text, page.outside)
    fact("it has every convolution", page.tags.count("details") == 2 and
         all(row[0] in page.text for row in rows("t.db")))
    fact("with pictures", page.tags.count("svg") == 4 and page.tags.count("circle") > 60)
    fact("it tells where the cost model is wrong", "order=weights" in page.text and
         re.search(r"\d % (slower|faster)", page.text))
    kept = rows("t.db")
    again = tune("spec.lua", "--db", "t.db", "--report", "again.html")
    fact("without a sweep, too", rows("t.db") == kept and os.path.exists("again.html"), again)
    tune("ic64ih28oc64kh1", "--db", "many.db", "--trials", "250", "--report", "many.html",
         FAKE_MILLISECONDS="0")
    rest = re.search(r"Of (\d+) plans, (\d+) are left out", Page(open("many.html").read()).text)
    fact("a landscape says how many plans it leaves out", rest and int(rest[2]) > 0 and
         int(rest[1]) == len({row[1] for row in rows("many.db")}), rest)
    one_sentence("a report nowhere", tune("spec.lua", "--db", "new.db", "--report", "no/r.html"), 3,
                 "no/r.html")
    fact("is told before anything is measured", not os.path.exists("new.db"))
    one_sentence("a report of nothing", tune("spec.lua", "--dry-run", "--report", "r.html"), 2,
                 "--report")


def check_report_of_failures():
    if PLANTED == "none":
        return
    plan = sweeps.space("ic8ih9oc8kh1")[0][1]
    tune("ic8ih9oc8kh1", "--db", "t.db", "--trials", "9", "--report", "r.html",
         CONVC_MEASURE=PLANTED, PLANT_CRASH=plan)
    page = Page(open("r.html").read())
    fact("a report has what failed, and why", not page.bad and "Failures" in page.text and
         "crashed" in page.text and "planted: this plan crashes" in page.text, page.text)


# ---- all of them ---------------------------------------------------------------------------------

sweeps.begin(CONVC, FAKE)
for check in (check_usage, check_dry_run, check_sweep, check_budget, check_kills, check_writers,
              check_faults, check_base_fails, check_spoilt, check_shards, check_slurm, check_mpirun,
              check_parallel, check_interrupt, check_terminal, check_report,
              check_report_of_failures):
    begun = time.monotonic()
    with scratch():
        write("spec.lua", SPEC)
        write("dying.sh", DYING)
        os.chmod("dying.sh", 0o755)
        check()
    print(f"{check.__name__}: {time.monotonic() - begun:.1f} s")
report()
