"""facts: what the tests of convc as a program share: facts that hold or not, told and counted.

    with scratch():          in an empty directory, with a cache of its own
        fact(...)
    report()                 "N passed, N failed", and the exit code
"""

import contextlib
import os
import subprocess
import sys
import tempfile

passed = failed = 0


def fact(name, holds, said=""):
    """Counts it; where it does not hold, prints its name and what was said."""
    global passed, failed
    if holds:
        passed += 1
    else:
        failed += 1
        print(f"FAILED  {name}\n{said}")


def report():
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed != 0)


@contextlib.contextmanager
def scratch():
    with tempfile.TemporaryDirectory() as directory, tempfile.TemporaryDirectory() as cache:
        os.environ["XDG_CACHE_HOME"] = cache
        os.chdir(directory)
        yield
        os.chdir("/")


def run(*command, text=True, **options):
    """A program to its end, with all that it says."""
    return subprocess.run([str(word) for word in command], capture_output=True, text=text,
                          **options)


def write(path, text):
    """With the directories that it lies in."""
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w") as f:
        f.write(text)
