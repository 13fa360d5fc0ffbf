#!/usr/bin/python3
"""How good a sweep was, against one that left nothing out.

    bench/tuned.py CONVC TUNED.db EXHAUSTIVE.db

For every problem that both databases have, three plans are timed afresh, turn by turn, by
convc-measure: the one that won in TUNED.db, the one that won in EXHAUSTIVE.db, made with
`convc tune SPEC... --db EXHAUSTIVE.db --trials 1000000`, and the cost model's. A line each:

    tuned/best  tuned/model  measurements  problem  plan

and at the end how many problems are within 1 % of the best, and the worst against the model.
The figures are medians over the rounds of the quotients of two turns in a round.
"""
import json
import math
import os
import subprocess
import sys

ROUNDS, MILLISECONDS = 41, 2


def winners(convc, db):
    """{problem: (winner, base, measurements)}, as `convc db list` derives them."""
    out = subprocess.run([convc, "db", "list", db, "--winners", "--json"], check=True,
                         capture_output=True, text=True).stdout
    rows = [json.loads(line) for line in out.splitlines()]
    return {r["problem"]: (r["plan"], r["base"], r["measurements"]) for r in rows}


class Measure:
    """convc-measure, beside convc or in the build tree's bench/."""

    def __init__(self, convc):
        here = os.path.dirname(os.path.abspath(convc))
        places = [os.path.join(here, p, "convc-measure")
                  for p in (".", "bench", "../libexec/convc")]
        path = next(p for p in places if os.access(p, os.X_OK))
        self.child = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      text=True)

    def ask(self, request):
        self.child.stdin.write(request + "\n")
        self.child.stdin.flush()
        return self.child.stdout.readline().rstrip("\n")

    def expect(self, request):
        answer = self.ask(request)
        if answer != "ok":
            sys.exit(f"{request}: {answer}")

    def race(self, problem, plans):
        """Seconds of every round, a list for each plan."""
        self.expect("problem " + problem)
        for slot, plan in enumerate(plans):
            self.expect(f"plan {slot} {plan}")
        slots = " ".join(map(str, range(len(plans))))
        answer, rounds = self.ask(f"race {ROUNDS} {MILLISECONDS} {slots}"), []
        while answer.startswith("round "):
            rounds.append([float(s) for s in answer.split()[1:]])
            answer = self.child.stdout.readline().rstrip("\n")
        if answer != "done":
            sys.exit(f"{problem}: {answer}")
        return list(zip(*rounds))


def median_ratio(a, b):
    ratios = sorted(x / y for x, y in zip(a, b))
    return ratios[len(ratios) // 2]


def main():
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    convc, tuned, exhaustive = sys.argv[1], winners(sys.argv[1], sys.argv[2]), None
    exhaustive = winners(convc, sys.argv[3])
    measure = Measure(convc)
    near, worst, gains = 0, 0, []
    both = [p for p in tuned if p in exhaustive]
    for problem in both:
        plan, base, measurements = tuned[problem]
        mine, best, model = measure.race(problem, [plan, exhaustive[problem][0], base])
        of_best = 1 if plan == exhaustive[problem][0] else median_ratio(mine, best)
        of_model = 1 if plan == base else median_ratio(mine, model)
        near += of_best <= 1.01
        worst = max(worst, of_model)
        gains.append(-math.log(of_model))
        print(f"{of_best:6.3f} {of_model:6.3f} {measurements:5d}  {problem}  {plan}", flush=True)
    if both:
        print(f"{near} of {len(both)} within 1 % of the best; {math.exp(sum(gains) / len(both)):.3f} "
              f"times as fast as the cost model's plans (geometric mean), at worst "
              f"{1 / worst:.3f}")


if __name__ == "__main__":
    main()
