#!/usr/bin/python3
"""How good a sweep was, against one that left nothing out.

    bench/tuned.py CONVC TUNED.db EXHAUSTIVE.jsonl

For every problem that both have, three plans are timed afresh, turn by turn, by convc-measure: the
one that won in TUNED.db, the one that won in the exhaustive sweep, and the cost model's. A line
each:

    tuned/best  tuned/model  measurements  problem  plan

and at the end how many problems are within 1 % of the best, and the worst against the model.
Figures are medians over the rounds of the quotients of two turns in a round.

EXHAUSTIVE.jsonl is what is kept of a sweep of everything; exhaustive.znver4.jsonl is a Zen 4's:

    convc tune SPEC... --db everything.db --trials 1000000
    convc db export everything.db | bench/tuned.py --keep > EXHAUSTIVE.jsonl
"""
import json
import math
import os
import subprocess
import sys

ROUNDS, MILLISECONDS = 101, 2


def ranked(lines):
    """{problem: its measured rows, best first}, in the order in which winners are derived."""
    rows = [json.loads(line) for line in lines]
    failed = {(r["problem"], r["plan"]) for r in rows if r["outcome"] != "measured"}
    of = {}
    for r in rows:
        if (r["problem"], r["plan"]) not in failed:
            of.setdefault(r["problem"], []).append(r)
    for list_ in of.values():
        list_.sort(key=lambda r: (-r["rung"], r["high"], r["plan"], r["at"], r["id"]))
    return of


def winners(lines):
    """{problem: (plan, base)}: the base where nothing is faster beyond doubt."""
    return {p: (rows[0]["plan"] if rows[0]["high"] < 1 else rows[0]["base"], rows[0]["base"])
            for p, rows in ranked(lines).items()}


def keep():
    """From an export on standard input, what EXHAUSTIVE.jsonl holds."""
    for rows in ranked(sys.stdin).values():
        print(json.dumps(rows[0]))


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
    if sys.argv[1:] == ["--keep"]:
        return keep()
    if len(sys.argv) != 4:
        sys.exit(__doc__)
    convc, db, kept = sys.argv[1:]
    lines = subprocess.run([convc, "db", "export", db], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    tuned, measured = winners(lines), {}
    for line in lines:
        problem = json.loads(line)["problem"]
        measured[problem] = measured.get(problem, 0) + 1
    with open(kept, encoding="utf-8") as f:
        exhaustive = winners(f)
    measure = Measure(convc)
    near, worst, gains = 0, 0, []
    both = [p for p in tuned if p in exhaustive]
    for problem in both:
        plan, base = tuned[problem]
        best = exhaustive[problem][0]
        times = measure.race(problem, [plan, best, base])
        of_best = 1 if plan == best else median_ratio(times[0], times[1])
        of_model = 1 if plan == base else median_ratio(times[0], times[2])
        near += of_best <= 1.01
        worst = max(worst, of_model)
        gains.append(-math.log(of_model))
        print(f"{of_best:6.3f} {of_model:6.3f} {measured[problem]:5d}  {problem}  {plan}",
              flush=True)
    if both:
        print(f"{near} of {len(both)} within 1 % of the best; "
              f"{math.exp(sum(gains) / len(both)):.3f} times as fast as the cost model's plans "
              f"(geometric mean), at worst {1 / worst:.3f}")


if __name__ == "__main__":
    main()
