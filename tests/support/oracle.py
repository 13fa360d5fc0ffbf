"""oracle: what the oracles share: NumPy and SciPy, convc as a program, cases side by side.

Without SciPy an oracle says so and is skipped: exit code 77. Where CONVC_ORACLES is "required", as
in `make test`, which installs it, that is a failure.
"""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

try:
    import numpy as np
    from scipy import linalg, ndimage, signal, special
except ImportError as missing:
    if os.environ.get("CONVC_ORACLES") == "required":
        sys.exit(f"{missing}\n0 passed, 1 failed")
    print(f"skipped: {missing}")
    sys.exit(77)


def run(convc, spec, *options):
    """`convc run`, timing nothing; what it prints. ValueError where it fails."""
    command = [convc, "run", spec, "--no-timing", "--no-cache", *options]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise ValueError(f"exit {done.returncode}: {done.stderr.strip()}")
    return done.stdout


def judge(check, cases, errors=()):
    """Runs check(*case) for all of them; it returns what is wrong, or nothing. `errors` are known
    already. Prints them all and "N passed, N failed"; the exit code."""
    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lambda case: check(*case), cases))
    wrong = list(filter(None, results))
    for error in [*errors, *wrong]:
        print(error)
    failed = len(errors) + len(wrong)
    print(f"{len(cases) - len(wrong)} passed, {failed} failed")
    return 1 if failed or not cases else 0
