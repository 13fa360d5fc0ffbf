"""Legal but absurd problems, through every command: each is done, or refused with one sentence, in
seconds and with bounded memory; none hangs, crashes or eats the machine.

    absurd_contract.py CONVC [sanitized]

Prints "N passed, N failed".
"""

import os
import resource
import subprocess
import sys
import tempfile

CONVC, SHADOWED = os.path.abspath(sys.argv[1]), "sanitized" in sys.argv[2:]
SECONDS, BYTES = 20, 6 << 30  # of the process; and of its memory, where no sanitizer has some of its own
passed = failed = 0


def nest(depth, functions, operand):
    """A function of a function of a function."""
    for i in range(depth):
        operand = f"{functions[i % len(functions)]}({operand})"
    return operand


def tree(function, operands):
    """A function of two halves, each the function of two."""
    if len(operands) == 1:
        return operands[0]
    half = len(operands) // 2
    return f"{function}({tree(function, operands[:half])},{tree(function, operands[half:])})"


HUGE = 2147483647
HEAVY = ["tanh", "log", "exp", "sigmoid"]
PLAIN = "ic64ih56oc64oh56kh3ph1"

# Problems whose code could be without bounds.
CODE = [
    f"{PLAIN};epilogue={nest(90, HEAVY, 'acc')}",
    f"{PLAIN};dtype=f64;epilogue={nest(90, HEAVY, 'acc')}",
    f"{PLAIN};combine={nest(89, HEAVY, 'mul(x,w)')}",
    f"{PLAIN};reduce={nest(89, HEAVY, 'mul(acc,t)')};init=1",
    f"{PLAIN};dtype=u8:f64:s16;mode=reflect;layout=nchw;combine={nest(80, HEAVY, 'mul(x,w)')};"
    f"reduce={nest(80, HEAVY, 'mul(acc,t)')};epilogue={nest(80, HEAVY, 'acc')}",
    "g1ic1ih600oc1kh31;weights=" + ",".join(str(i * 7 % 23 + i / 64) for i in range(961)),
    "ic8ih60oc16kh11;weights=" + ",".join(str(i * 7 % 23 + 1) for i in range(968 * 16)),
    "g1ic1ih600oc1kh22;window=" + tree("add", [f"log(x({i // 22},{i % 22}))" for i in range(484)]),
    "g1ic1ih600oc1kh22;window=" + tree("max", [f"x({i // 22},{i % 22})" for i in range(484)])
    + ";epilogue=" + nest(90, HEAVY, "acc"),
    "g1ic1ih600oc1kh3;window=" + nest(1000, HEAVY, "x(1,1)"),
    "g1ic1ih600oc1kh3;window=" + nest(500, HEAVY, "x(1,1)"),
    "g64ic64iw1000oc64kw1000;mode=circular",
    "ic3ih33oc5kh33ph32;mode=symmetric",
    "ic3id9oc5kd9pd8;mode=constant;value=1;layout=nchw;dtype=f64;combine=abs(sub(x,w))",
]

# Problems of sizes that overflow whatever is multiplied with them.
SIZES = [
    "ic1ih600oc1kh255",
    "ic64ih600oc64kh255",
    f"ic1iw{HUGE}oc1kw{HUGE}",
    f"ic1iw{HUGE}oc1kw65536",
    f"ic1iw{HUGE}oc1kw2dw{HUGE - 2}",
    f"ic1iw1oc1ow1kw3pw{HUGE}",
    f"ic1iw7oc1kw2147483646pw{HUGE}",
    f"ic1iw{HUGE}oc1kw1sw{HUGE}",
    f"g{HUGE}ic{HUGE}iw1oc{HUGE}kw1",
    f"ic{HUGE}iw1oc1kw1",
    f"ic1iw1oc{HUGE}kw1",
    f"ic{HUGE}iw1oc{HUGE}kw1",
    f"mb{HUGE}ic1iw1oc1kw1",
    f"mb{HUGE}ic65536iw65536oc65536kw1",
    f"ic65536ih65536oc65536kh1",
    f"ic46341ih46341iw46341oc46341kh1",
    "ic1id1290ih1290iw1290oc1kd1290kh1290kw1290",
    f"mb1ic1iw1oc1kw1;src_strides=1,1,1,1,{HUGE};dst_strides={1 << 59},1,1,1,1",
    f"mb1ic2ih2oc2kh1;src_strides={1 << 60},{1 << 58},1,1,1",
    f"g1ic1ih3oc1kh1ph{HUGE // 2 - 4};mode=reflect",
    f"g1ic1ih2iw2oc1kh3kw3dh1000000dw1000000ph1000002pw1000002;mode=circular;weights=1*9",
]

WAYS = {
    "explain": ["explain", "--show", "problem,plan,asm", "--no-cache"],
    "sse": ["explain", "--show", "asm", "--no-cache", "--target", "x86-64"],
    "compile": ["compile", "-o", "out", "--quiet"],
    "plans": ["tune", "--dry-run"],
}


def limit():
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    if not SHADOWED:
        resource.setrlimit(resource.RLIMIT_AS, (BYTES, BYTES))


def try_it(problem, way, other_end=2):
    global passed, failed
    done = subprocess.run([CONVC, WAYS[way][0], problem, *WAYS[way][1:]], preexec_fn=limit,
                          text=True, errors="replace", stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE)
    sentences = [line for line in done.stderr.splitlines() if line.startswith("convc: ")]
    fine = done.returncode == 0 or (done.returncode == other_end and len(sentences) == 1)
    passed, failed = passed + fine, failed + (not fine)
    if not fine:
        print(f"FAILED: {way} ends with {done.returncode}: {problem[:200]}\n    {done.stderr[:300]}")
    return done


def lists_are_long():
    """Ten thousand problems, all of one name."""
    with open("list", "w") as f:
        f.write("ic1iw1oc1kw1\n" * 9999)
    WAYS["list"] = ["explain", "--show", "problem"]
    try_it("list", "list")


def memory_is_there():
    """What a run would need is said before it is used up."""
    WAYS["run"] = ["run", "--no-timing"]
    done = try_it(f"ic1iw{HUGE}oc1kw1", "run", 3)
    global passed, failed
    said = "memory" in done.stderr
    passed, failed = passed + said, failed + (not said)


def main():
    with tempfile.TemporaryDirectory() as there:
        os.chdir(there)
        os.environ["XDG_CACHE_HOME"] = there
        for problem in CODE:
            for way in ["sse"] if SHADOWED else ["explain", "sse", "compile"]:
                try_it(problem, way)
        for problem in SIZES:
            for way in ["compile"] if SHADOWED else list(WAYS):
                try_it(problem, way)
        lists_are_long()
        memory_is_there()
    print(f"{passed} passed, {failed} failed")
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
