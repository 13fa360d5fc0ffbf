#!/usr/bin/python3
"""The CMake package as other people's builds use it: add_convc_library, from an installed prefix.

    package.py BUILD

Builds and runs the example project (specs/examples/project) with Make and Ninja, and for AArch64
where a cross compiler is; small projects show what is compiled again and when, how a library is
installed and found again without convc, and what is said where something is wrong. Last line:
"N passed, N failed".
"""
import json
import os
import shutil
import stat
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "support"))
from facts import fact, report, run, scratch, write

BUILD = os.path.realpath(sys.argv[1])
WARNINGS = "-Wall -Wextra -Wpedantic -Werror"


def cmake(*words):
    done = run("cmake", *words)
    return done.returncode == 0, done.stdout + done.stderr


def generators():
    return ["Unix Makefiles"] + (["Ninja"] if shutil.which("ninja") else [])


PREFIX = "a prefix"


def install():
    done, said = cmake("--install", BUILD, "--prefix", PREFIX)
    fact("it installs", done, said)
    where = [d for d, _, files in os.walk(PREFIX) if "convcConfig.cmake" in files]
    return os.path.realpath(where[0]), os.path.realpath(PREFIX)


# ---- the example ---------------------------------------------------------------------------------


def check_example(what, *configure):
    """Configures, builds, finds nothing more to do, and runs."""
    for generator in generators():
        name, build = f"the example, {what}, {generator}", f"build {what} {generator}"
        fact(f"{name}: configures", *cmake("-S", "the example", "-B", build, "-G", generator,
                                           f"-DCMAKE_C_FLAGS={WARNINGS}",
                                           f"-DCMAKE_CXX_FLAGS={WARNINGS}", *configure))
        fact(f"{name}: builds", *cmake("--build", build))
        done, said = cmake("--build", build)
        fact(f"{name}: is up to date", done and "ompiling" not in said and "inking" not in said,
             said)
        done = run("ctest", "--test-dir", build, "--output-on-failure")
        fact(f"{name}: its programs run", "2 tests passed" in done.stdout or
             "100% tests passed, 0 tests failed out of 2" in done.stdout, done.stdout)
        if os.path.exists(f"{build}/edges.pgm"):
            picture = open(f"{build}/edges.pgm", "rb").read()
            fact(f"{name}: the edges are a picture", picture.startswith(b"P5\n96 64\n255\n"))


def check_examples(package):
    shutil.copytree(f"{PREFIX}/share/convc/specs/examples/project", "the example")
    check_example("native", f"-Dconvc_DIR={package}")
    tools = ("aarch64-linux-gnu-gcc", "aarch64-linux-gnu-g++", "qemu-aarch64")
    if all(shutil.which(tool) for tool in tools):
        check_example("AArch64", f"-Dconvc_DIR={package}",
                      "--toolchain", os.path.realpath("the example/aarch64-linux-gnu.cmake"))
    else:
        print(f"not all of {', '.join(tools)} are here")


# ---- builds --------------------------------------------------------------------------------------

SPEC = """local value = require("value")
return convc.conv { name = "one", input = { 1, 1, 4, convc.param("W", 5) },
                    weights = { { value } } }
"""
PROGRAM = """#include <%s>
#include <stdio.h>
int main(void)
{
    float src[one_SRC_ELEMENTS] = { 1 }, dst[one_DST_ELEMENTS] = { 0 };
    one(src, dst, NULL, 1);
    printf("%%d columns, %%g", one_SRC_W, (double)dst[0]);
    return 0;
}
"""


def begin(project, text, languages="C"):
    write(f"{project}/CMakeLists.txt", "cmake_minimum_required(VERSION 3.16)\n"
          f"project(test LANGUAGES {languages})\nfind_package(convc 0.1 REQUIRED)\n{text}")
    write(f"{project}/one.lua", SPEC)
    write(f"{project}/lib/value.lua", "return 3\n")


def program_says(path):
    return run(path).stdout if os.path.exists(path) else "there is no program"


def change(path, text, than):
    """Writes it, later than the file `than` by any clock."""
    write(path, text)
    later = os.stat(than).st_mtime_ns + 2 * 10**9
    os.utime(path, ns=(later, later))


def check_rebuild(package):
    """In a subdirectory, whose library the directory above it links."""
    for generator in generators():
        project, build = f"rebuild {generator}", f"rebuild {generator}/build"
        begin(project, "add_subdirectory(kernels)\nadd_executable(program program.c)\n"
              "target_link_libraries(program PRIVATE kernels)\n")
        write(f"{project}/kernels/CMakeLists.txt", "add_convc_library(kernels SPECS ../one.lua "
              "TARGETS x86-64 DEFINE W=7)\n" if os.uname().machine == "x86_64" else
              "add_convc_library(kernels SPECS ../one.lua DEFINE W=7)\n")
        write(f"{project}/program.c", PROGRAM % "kernels.h")
        fact(f"{project}: configures", *cmake("-S", project, "-B", build, "-G", generator,
                                              f"-Dconvc_DIR={package}"))
        fact(f"{project}: builds", *cmake("--build", build))
        fact(f"{project}: the program runs", program_says(f"{build}/program") == "7 columns, 3",
             program_says(f"{build}/program"))
        change(f"{project}/lib/value.lua", "return 4\n", f"{build}/program")
        fact(f"{project}: builds after a change of the module", *cmake("--build", build))
        fact(f"{project}: the change is seen", program_says(f"{build}/program") == "7 columns, 4",
             program_says(f"{build}/program"))
        fact(f"{project}: cleans", *cmake("--build", build, "--target", "clean"))
        fact(f"{project}: builds after that", *cmake("--build", build))
        change(f"{project}/one.lua", "return 5\n", f"{build}/program")
        done, said = cmake("--build", build)
        fact(f"{project}: a bad spec is told", not done and "returns 5, where a spec returns" in
             said, said)


def check_database(package):
    """The plan of a tuning database, and a newer one's once that has changed."""
    if os.uname().machine != "x86_64":
        return
    begin("tuned", "add_convc_library(k SPECS one.lua TARGETS x86-64-v3 DB plans/tuned.db)\n")
    write("tuned/one.lua", 'return convc.conv { name = "one", input = { 1, 8, 9, 9 }, '
          "out_channels = 16, kernel_size = 3 }\n")
    os.mkdir("tuned/plans")
    convc, version = f"{PREFIX}/bin/convc", run(f"{PREFIX}/bin/convc", "--version").stdout.split()[1]
    said = run(convc, "explain", "tuned/one.lua", "--target", "x86-64-v3").stdout.splitlines()
    plans = [row.split("  (+")[0].split(None, 1)[1] for row in said if "  (+" in row]
    llvm = run("llvm-config-19", "--version").stdout.strip()
    for i, plan in enumerate((plans[-1], plans[-2])):
        line = {"id": f"{i:032x}", "problem": said[0].split()[1], "convc": version, "llvm": llvm,
                "target": "x86_64-pc-linux-gnu:x86-64-v3", "plan": plan, "base": "base",
                "outcome": "measured", "rung": i, "rounds": 9, "ratio": 0.9, "low": 0.8,
                "high": 0.95, "at": 1700000000}
        done = run(convc, "db", "import", "tuned/plans/tuned.db", "-", input=json.dumps(line))
        fact("tuned: a measurement", done.returncode == 0, done.stderr)
        if i:
            later = os.stat(header).st_mtime_ns + 2 * 10**9
            os.utime("tuned/plans/tuned.db", ns=(later, later))
        else:
            fact("tuned: configures", *cmake("-S", "tuned", "-B", "tuned/build",
                                             f"-Dconvc_DIR={package}"))
        fact("tuned: builds", *cmake("--build", "tuned/build"))
        header = "tuned/build/k.convc/k.h"
        text = open(header).read() if os.path.exists(header) else "there is no header"
        fact("tuned: the header has the winner's plan", f"plan     {plan}\n" in text, text)


def check_install(package):
    """A library with kernels inside is installed, and used where there is no convc."""
    begin("vendor", """
set(CMAKE_CXX_STANDARD 11)
add_convc_library(kernels SPECS one.lua NAMESPACE their PREFIX v_ OPTIMIZE size HIDDEN)
add_library(vendor STATIC vendor.cpp)
target_link_libraries(vendor PRIVATE kernels)
install(TARGETS vendor kernels EXPORT vendorTargets ARCHIVE DESTINATION lib
    INCLUDES DESTINATION include PUBLIC_HEADER DESTINATION include/their)
install(EXPORT vendorTargets FILE vendorConfig.cmake DESTINATION lib/cmake/vendor)
""", "CXX")
    write("vendor/vendor.cpp", "#include <their/kernels.h>\nextern \"C\" float triple(float x)\n{\n"
          "    float src[v_one_SRC_ELEMENTS] = { x }, dst[v_one_DST_ELEMENTS];\n"
          "    v_one(src, dst, nullptr, 1);\n    return dst[0];\n}\n")
    fact("vendor configures, with C++ alone", *cmake("-S", "vendor", "-B", "vendor/build",
                                                     f"-Dconvc_DIR={package}"))
    fact("vendor builds", *cmake("--build", "vendor/build"))
    fact("vendor installs", *cmake("--install", "vendor/build", "--prefix", "vendor/prefix"))
    fact("the header is installed", os.path.exists("vendor/prefix/include/their/kernels.h"))
    write("customer/CMakeLists.txt", "cmake_minimum_required(VERSION 3.16)\n"
          "project(customer LANGUAGES C)\nfind_package(vendor REQUIRED)\n"
          "add_executable(program program.c)\n"
          "target_link_libraries(program PRIVATE vendor kernels)\n")
    write("customer/program.c", "#include <stdio.h>\n#include <their/kernels.h>\n"
          "float triple(float);\n"
          "int main(void) { return printf(\"%g\", (double)triple(v_one_PHASES)) < 0; }\n")
    fact("customer configures", *cmake("-S", "customer", "-B", "customer/build", "-Dvendor_DIR=" +
                                       os.path.realpath("vendor/prefix/lib/cmake/vendor")))
    fact("customer builds", *cmake("--build", "customer/build"))
    fact("customer runs", program_says("customer/build/program") == "3")


# ---- errors --------------------------------------------------------------------------------------


def squeeze(text):
    """CMake breaks lines as it likes."""
    return " ".join(text.split())


def configure_fails(name, project, words, *configure):
    done, said = cmake("-S", project, "-B", f"{project}/build", *configure)
    fact(f"{name}: configuring fails", not done, said)
    fact(f"{name}: it says: {words}", words in squeeze(said), said)


def check_errors(package):
    begin("wrong", "cmake_language(EVAL CODE \"${CALL}\")\n")
    write("wrong/two.lua", SPEC)
    found = f"-Dconvc_DIR={package}"
    for call, words in {
        "k SPECS nowhere.lua": f"there is no spec {os.path.realpath('wrong')}/nowhere.lua",
        "k SPECS lib": f"there is no spec {os.path.realpath('wrong')}/lib",
        "k": "needs SPECS",
        "k SPECS one.lua NAMESPACE a-b": "NAMESPACE a-b is no name in C",
        "k SPECS one.lua PREFIX": "PREFIX needs a value",
        "k FAST SPECS one.lua": "knows no argument FAST",
        "taken SPECS one.lua": "there is a target of this name already",
    }.items():
        call = f"add_custom_target(taken)\nadd_convc_library({call})"
        configure_fails(call, "wrong", f"): {words}", found, f"-DCALL={call}")
    for call, words in {
        "k SPECS one.lua TARGETS pentium9": 'target CPU "pentium9" is none that convc knows',
        "k SPECS one.lua two.lua": "both make one",
        "k SPECS one.lua DEFINE Q=1": "sets no parameter",
        "k SPECS one.lua PLAN frobnicate": "frobnicate",
    }.items():
        done, said = cmake("-S", "wrong", "-B", "wrong/build", found,
                           f"-DCALL=add_convc_library({call})")
        fact(f"{call}: configures", done, said)
        done, said = cmake("--build", "wrong/build")
        fact(f"{call}: building fails", not done, said)
        fact(f"{call}: one sentence says: {words}",
             [words in line for line in said.splitlines() if line.startswith("convc: ")] == [True],
             said)
        fact(f"{call}: nothing is there", not os.path.exists("wrong/build/k.convc/k.h"))


def check_tool(package):
    """What is said of a tool that is not there, does not run, or is another one."""
    begin("tool", "add_convc_library(k SPECS one.lua)\n")
    write("other/convc", "#!/bin/sh\necho convc 9.9.9\n")
    os.chmod("other/convc", stat.S_IRWXU)
    found = f"-Dconvc_DIR={package}"
    for tool, words in (("/nowhere/convc", "does not run on this machine"),
                        (os.path.realpath("other/convc"), "is convc 9.9.9, this package of")):
        configure_fails(tool, "tool", f"add_convc_library(k): CONVC_EXECUTABLE={tool} {words}",
                        found, f"-DCONVC_EXECUTABLE={tool}")
    begin("component", "")
    path = "component/CMakeLists.txt"
    text = open(path).read().replace("REQUIRED", "REQUIRED COMPONENTS compiler")
    write(path, text)
    configure_fails("a component", "component", "CONVC_EXECUTABLE=/nowhere/convc does not run",
                    found, "-DCONVC_EXECUTABLE=/nowhere/convc")


CROSS = """set(CMAKE_SYSTEM_NAME {system})
set(CMAKE_SYSTEM_PROCESSOR {processor})
set(CMAKE_C_COMPILER clang-19)
set(CMAKE_C_COMPILER_TARGET {triple})
set(CMAKE_TRY_COMPILE_TARGET_TYPE STATIC_LIBRARY)
set(CMAKE_FIND_ROOT_PATH /nowhere)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)
"""


def check_bare_machines(package):
    """Without a system, a C library or a libconvc of theirs."""
    if not shutil.which("clang-19"):
        print("clang-19 is not here")
        return
    found = f"-Dconvc_DIR={package}"
    for system, processor, triple, machine in (
            ("Generic", "riscv64", "riscv64-unknown-none-elf", 243),
            ("Generic", "aarch64", "aarch64-unknown-none-elf", 183),
            ("Generic", "wasm32", "wasm32-unknown-unknown", None)):
        project = f"bare {processor}"
        begin(project, "if(TARGET convc::convc)\n    message(FATAL_ERROR \"whose?\")\nendif()\n"
              "add_convc_library(k SPECS one.lua)\n")
        write(f"{project}/toolchain.cmake", CROSS.format(system=system, processor=processor,
                                                         triple=triple))
        toolchain = ("--toolchain", os.path.realpath(f"{project}/toolchain.cmake"))
        fact(f"{project}: configures", *cmake("-S", project, "-B", f"{project}/build", found,
                                              *toolchain))
        fact(f"{project}: builds", *cmake("--build", f"{project}/build"))
        run("ar", "x", "build/libk.a", cwd=project)
        objects = [f for f in os.listdir(project) if f.endswith(".o")]
        head = open(f"{project}/{objects[0]}", "rb").read(20) if objects else b""
        fact(f"{project}: the objects are for it", int.from_bytes(head[18:20], "little") == machine
             if machine else head[:4] == b"\0asm", str(head))
    begin("bare unknown", "add_convc_library(k SPECS one.lua ${WHICH})\n")
    write("bare unknown/toolchain.cmake", CROSS.format(system="Generic", processor="pdp11",
                                                       triple="msp430-unknown-none-elf"))
    toolchain = ("--toolchain", os.path.realpath("bare unknown/toolchain.cmake"))
    configure_fails("a machine that has no triple", "bare unknown",
                    "needs TARGETS TRIPLE:CPU, since CMAKE_SYSTEM_NAME=Generic and "
                    "CMAKE_SYSTEM_PROCESSOR=pdp11 tell no triple", found, *toolchain)
    configure_fails("the machine that builds", "bare unknown", "TARGETS native is the machine that "
                    "builds", found, "-DWHICH=TARGETS;native")
    begin("bare library", "")
    text = open("bare library/CMakeLists.txt").read()
    write("bare library/CMakeLists.txt", text.replace("REQUIRED", "REQUIRED COMPONENTS library"))
    shutil.copy("bare riscv64/toolchain.cmake", "bare library")
    configure_fails("a library for another machine", "bare library", "its library is for Linux",
                    found, "--toolchain", os.path.realpath("bare library/toolchain.cmake"))


with scratch():
    for variable in ("CMAKE_C_COMPILER_LAUNCHER", "CMAKE_CXX_COMPILER_LAUNCHER"):
        os.environ.pop(variable, None)
    package_dir, PREFIX = install()
    check_examples(package_dir)
    check_rebuild(package_dir)
    check_database(package_dir)
    check_install(package_dir)
    check_errors(package_dir)
    check_tool(package_dir)
    check_bare_machines(package_dir)
report()
