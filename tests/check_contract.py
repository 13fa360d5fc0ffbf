"""convc check --random: what it says of its problems, and that a fault is found, shrunk and repeated.

    check_contract.py CONVC CONVC-PLANTED

The second is convc with a fault planted (support/planted.c). Prints "N passed, N failed".
"""

import os
import re
import shlex
import subprocess
import sys
import tempfile

CONVC, PLANTED = (os.path.abspath(path) for path in sys.argv[1:3])
passed = failed = 0


def fact(name, holds, shown=""):
    global passed, failed
    passed, failed = passed + bool(holds), failed + (not holds)
    if not holds:
        print(f"FAILED: {name}\n{shown}")


def run(program, *words, **environment):
    return subprocess.run([program, *words], env={**os.environ, **environment}, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def the_spread_is_told():
    done = run(CONVC, "check", "--random", "40", "--seed", "5")
    lines = done.stdout.splitlines()
    fact("random problems pass", done.returncode == 0, done.stdout + done.stderr)
    fact("they are counted", lines[-1] == "40 passed, 0 failed", done.stdout)
    fact("they say something", lines[0].startswith("40 random problems, each with at least one in"),
         lines[0])
    for line in lines[1:-1]:
        numbers = [int(n) for n in re.findall(r" (\d+)(?:,|$)", line)]
        fact("every problem has the property", sum(numbers) == 40, line)
    for name in "targets algorithms types layouts axes groups arithmetic weights borders".split():
        fact(f"{name} are told", any(line.startswith(name + ": ") for line in lines), done.stdout)


def a_run_can_be_split():
    """The parts have the very problems of the whole, in their order."""
    def problems(*words):
        done = run(CONVC, "check", "--json", "--seed", "9", "--threads", "1", *words)
        return [line for line in re.findall(r'"problem":"([^"]*)"', done.stdout)]
    whole = problems("--random", "12")
    parts = problems("--random", "5") + problems("--random", "7", "--first", "5")
    fact("12 problems", len(whole) == 12, whole)
    fact("5 and 7 are the same", whole == parts, f"{whole}\n{parts}")
    done = run(CONVC, "check", "--random", "1", "--first", "9223372036854775807")
    fact("the last number is the last", done.returncode == 2, done.stderr)


def long_functions_are_right():
    """They are called, where short ones are written down in every accumulator."""
    def nest(depth, functions, operand):
        for i in range(depth):
            operand = f"{functions[i % len(functions)]}({operand})"
        return operand
    term = nest(12, ["tanh", "sigmoid"], "mul(x,w)")
    fold = nest(12, ["sigmoid", "tanh"], "sub(acc,t)")
    last = nest(12, ["tanh", "exp"], "sub(acc,mul(s,r))")
    done = run(CONVC, "check", "--no-cache", f"ic3ih5oc5kh2;combine={term};reduce={fold};init=1",
               f"ic3ih5oc5kh2;dtype=f64;combine={term};epilogue={last};args=s:scalar,r:tensor",
               f"g3ic3ih5oc3kh2;layout=nchw;window=x(0,1);epilogue={last};args=s:channel,r:tensor")
    fact("long functions", done.stdout.endswith("3 passed, 0 failed\n"), done.stdout + done.stderr)


def command_of(line):
    """The words of a line that repeats a failure, but for the program's name."""
    return shlex.split(line.split("  # ")[0])[1:]


def a_fault_shrinks_to_what_it_needs(variable, plan, needs, lacks):
    environment = {variable: plan}
    done = run(PLANTED, "check", "--random", "24", "--seed", "2", **environment)
    lines = [line for line in done.stdout.splitlines() if line.startswith("convc check ")]
    fact(f"{variable}: the fault is found", done.returncode == 1 and lines, done.stdout)
    shrunk = [line for line in lines if "; shrunk from --random 1 --first " in line]
    fact(f"{variable}: it is shrunk", shrunk, done.stdout)
    for line in shrunk[:2]:
        words = command_of(line)
        again = run(PLANTED, *words, **environment)
        same = again.stdout.splitlines()[0].split("  # ")[0] == line.split("  # ")[0]
        fact(f"{variable}: the line repeats it", again.returncode == 1 and same, again.stdout)
        fact(f"{variable}: it is the fault's", run(CONVC, *words).returncode == 0, line)
        problem = words[1]
        fact(f"{variable}: {problem} is what it needs", re.search(needs, problem), line)
        fact(f"{variable}: {problem} is no more", not re.search(lacks, problem), line)
        first = re.search(r"--first (\d+)", line)[1]
        again = run(PLANTED, "check", "--random", "1", "--first", first, "--seed", "2",
                    **environment)
        fact(f"{variable}: so does the number", again.returncode == 1, again.stdout)


the_spread_is_told()
a_run_can_be_split()
long_functions_are_right()
a_fault_shrinks_to_what_it_needs("PLANT_BIAS", "direct", r"ic1iw1oc1ow1kw1.*;bias",
                                 r"act=|layout|residual|combine|weights|mode=|strides|flip|g[2-9]|"
                                 r"mb[02-9]|epilogue|dtype")
a_fault_shrinks_to_what_it_needs("PLANT_BATCH", "direct", r"mb3ic1iw1oc1ow1kw1",
                                 r"act=|layout|residual|bias|combine|weights|mode=|strides|flip|"
                                 r"g[2-9]|dtype")
print(f"{passed} passed, {failed} failed")
sys.exit(failed > 0)
