"""sweeps: `convc tune` and its databases, as tests of it run and read them.

    begin(CONVC, MEASURE)    which programs
    tune("a.lua", "--db", "t.db", **environment)
    rows("t.db")             what the database holds
"""
import json
import os
import signal
import sqlite3
import subprocess
import time

from facts import fact, run

programs = {}


def begin(convc, measure):
    programs["convc"], programs["measure"] = convc, measure
    if os.access("/dev/shm", os.W_OK):  # where databases wait for no disk
        os.environ["TMPDIR"] = "/dev/shm"


def environment(**more):
    launchers = ("SLURM_", "OMPI_", "PMI_", "MV2_", "PARALLEL_")
    clean = {k: v for k, v in os.environ.items() if not k.startswith(launchers)}
    return {**clean, "CONVC_MEASURE": programs["measure"], **more}


def tune(*words, **more):
    return run(programs["convc"], "tune", *words, env=environment(**more))


def start(*words, stderr=None, **more):
    """In a session of its own, so that what is left of it can be found."""
    return subprocess.Popen([programs["convc"], "tune", *map(str, words)], env=environment(**more),
                            stdout=subprocess.PIPE, stderr=stderr or subprocess.PIPE, text=True,
                            start_new_session=True)


def objects(done):
    return [json.loads(line) for line in done.stdout.splitlines()]


def ask(path, sql):
    db = sqlite3.connect(path, timeout=60)
    try:
        return db.execute(sql).fetchall()
    finally:
        db.close()


def rows(path):
    """(problem, plan, rung, outcome) of every measurement, sorted."""
    if not os.path.exists(path) or not ask(path, "SELECT 1 FROM sqlite_schema"):
        return []
    return sorted(ask(path, "SELECT problem, plan, rung, outcome FROM measurement "
                            "JOIN subject ON subject.id = measurement.subject"))


def plans(path):
    """{problem: plans that have a first look}, which nothing has twice."""
    looks = [row[:2] for row in rows(path) if row[2] == 0]
    fact(f"{path}: no first look twice", len(looks) == len(set(looks)), looks)
    return set(looks)


def is_whole(path):
    return ask(path, "PRAGMA integrity_check") == [("ok",)]


def space(*words):
    """Every plan of every convolution but the cost model's own: [(name, plan)]."""
    found = []
    for o in objects(tune(*words, "--dry-run", "--json")):
        lines = o["space"].splitlines()
        found += [(o["name"], line.split(" ", 1)[1]) for line in lines[1:]]
    return found


def await_rows(path, count, child):
    """Until the database has so many, or the child has ended."""
    while child.poll() is None:
        try:
            if len(rows(path)) >= count:
                return
        except sqlite3.OperationalError:  # not made yet
            pass
        time.sleep(0.01)


def session(leader):
    """The processes of a session, but those that nobody has waited for."""
    left = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat") as f:
                state, _, _, sid = f.read().rsplit(")", 1)[1].split()[:4]
        except OSError:
            continue
        if int(sid) == leader and state != "Z":
            left.append(int(pid))
    return left


def nobody_is_left(leader):
    for _ in range(500):
        if not session(leader):
            return True
        time.sleep(0.02)
    return False


def kill(child, number=signal.SIGKILL):
    child.send_signal(number)
    return child.communicate()
