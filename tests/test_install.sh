#!/bin/bash
# Installs into a fresh prefix and builds the host program (tests/support/host.c) against what lies
# there: by pkg-config and by find_package, shared and static; and looks at what is exported.
# Usage: test_install.sh SOURCE BUILD. Last line: "N passed, N failed".
set -uo pipefail
source=${1:?source directory} build=${2:?build directory}

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
prefix=$work/prefix
export XDG_CACHE_HOME=$work/cache
passed=0 failed=0

# fact NAME COMMAND...: runs the command; shows what it said where it fails.
fact() {
    local name=$1
    shift
    if "$@" >"$work/said" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $name"
    else
        failed=$((failed + 1))
        echo "FAILED  $name"
        sed 's/^/    /' "$work/said"
    fi
}

installs() { cmake --install "$build" --prefix "$prefix"; }

# The library directory differs between distributions: lib, lib64, lib/x86_64-linux-gnu.
lib_dir() { dirname "$(find "$prefix" -name convc.pc)" | xargs dirname; }

files_are_in_place() {
    local file
    for file in include/convc/{types,kernel,convc,tuning,layer}.h bin/convc share/convc/specs/networks; do
        [ -e "$prefix/$file" ] || { echo "no $file" && return 1; }
    done
    for file in libconvc.so libconvc.so.0 libconvc.a cmake/convc/convcConfig.cmake; do
        [ -e "$lib/$file" ] || { echo "no $lib/$file" && return 1; }
    done
    [ "$(find "$prefix/include" -type f | wc -l)" -eq 5 ] || { find "$prefix/include" && return 1; }
}

# Reads nm's lines and complains of every name that is not convc_*; there must be some that are.
only_convc_names() {
    awk '/^$|:$/ { next } $NF ~ /^convc_/ { n++; next } { print "exports " $NF; bad = 1 }
        END { if (!n) print "exports nothing"; exit bad || !n }'
}
shared_exports_only_convc() { nm -D --defined-only "$lib/libconvc.so" | only_convc_names; }
static_exports_only_convc() { nm -g --defined-only "$lib/libconvc.a" | only_convc_names; }

# Every function that the headers promise is there.
exports_what_the_headers_promise() {
    local name names status=0
    names=$(sed -n 's/^CONVC_API .*[ *]\(convc_[a-z_]*\)(.*/\1/p; s/^\(convc_[a-z_]*\)(.*/\1/p' \
        "$prefix"/include/convc/*.h)
    [ -n "$names" ] || return 1
    for name in $names; do
        nm -D --defined-only "$lib/libconvc.so" | grep -q " T $name\$" ||
            { echo "$name is declared and not defined" && status=1; }
    done
    return $status
}

has_soname() { objdump -p "$lib/libconvc.so" | grep -q 'SONAME *libconvc\.so\.0$'; }

headers_stand_alone() {
    local header
    for header in types kernel convc tuning layer; do
        echo "#include <convc/$header.h>" >"$work/alone.c"
        cp "$work/alone.c" "$work/alone.cpp"
        gcc -std=c11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$prefix/include" \
            "$work/alone.c" || return 1
        g++ -std=c++11 -Wall -Wextra -Wpedantic -Werror -fsyntax-only -I"$prefix/include" \
            "$work/alone.cpp" || return 1
    done
}

pkg() { PKG_CONFIG_PATH=$lib/pkgconfig pkg-config --define-variable=prefix="$prefix" "$@" convc; }
needs_soname() { objdump -p "$1" | grep -q 'NEEDED *libconvc\.so\.0$'; }

host_by_pkg_config_shared() {
    # shellcheck disable=SC2046
    gcc -std=c11 "$host" -o "$work/shared" $(pkg --cflags --libs) -Wl,-rpath,"$lib" &&
        needs_soname "$work/shared" && "$work/shared"
}

host_by_pkg_config_static() {
    # shellcheck disable=SC2046
    gcc -std=c11 "$host" -o "$work/static" \
        $(pkg --static --cflags --libs | sed 's/-lconvc /-l:libconvc.a /') &&
        ! needs_soname "$work/static" && "$work/static"
}

# The example of a host that answers while kernels are compiled.
server_by_pkg_config() {
    # shellcheck disable=SC2046
    gcc -std=c11 -Wall -Wextra -Wno-unused-parameter -Werror \
        "$source/specs/examples/server/server.c" -o "$work/server" \
        $(pkg --cflags --libs) -lpthread -Wl,-rpath,"$lib" && "$work/server"
}

# A host whose own functions bear the names of convc's insides.
static_names_do_not_clash() {
    local name names
    names=$(nm "$lib/libconvc.a" | awk '$2 == "t" { print $3 }' | grep -E '^(hash64|text_add)$')
    [ -n "$names" ] || { echo "the insides have other names now" && return 1; }
    cp "$host" "$work/clash.c"
    for name in $names; do echo "void $name(void) { abort(); }" >>"$work/clash.c"; done
    # shellcheck disable=SC2046
    gcc -std=c11 "$work/clash.c" -o "$work/clash" \
        $(pkg --static --cflags --libs | sed 's/-lconvc /-l:libconvc.a /') && "$work/clash"
}

host_by_find_package() {
    mkdir -p "$work/cmake" && cat >"$work/cmake/CMakeLists.txt" <<EOF
cmake_minimum_required(VERSION 3.16)
project(host LANGUAGES C)
find_package(convc 0.1 REQUIRED)
add_executable(host_shared $host)
target_link_libraries(host_shared PRIVATE convc::convc)
add_executable(host_static $host)
target_link_libraries(host_static PRIVATE convc::convc_static)
EOF
    cmake -S "$work/cmake" -B "$work/cmake/build" -DCMAKE_PREFIX_PATH="$prefix" &&
        cmake --build "$work/cmake/build" &&
        needs_soname "$work/cmake/build/host_shared" &&
        ! needs_soname "$work/cmake/build/host_static"
}

installed_tool_runs() {
    (cd "$work" && env -u LD_LIBRARY_PATH "$prefix/bin/convc" explain ic8ih9oc8kh3)
}

# Built where Google Benchmark is; finds the library without being told where.
installed_measure_answers() {
    local program
    program=$(find "$prefix" -name convc-measure)
    [ -n "$program" ] || [ ! -e "$build/bench/convc-measure" ] || return 1
    [ -z "$program" ] || (cd "$work" && echo version | env -u LD_LIBRARY_PATH "$program" |
        grep -q '^ok [0-9.]*$')
}

host=$source/tests/support/host.c
fact "it installs" installs
lib=$(lib_dir)
fact "the files are in place" files_are_in_place
fact "the headers stand alone, in C11 and in C++11" headers_stand_alone
fact "the shared library exports only convc_*" shared_exports_only_convc
fact "the static library exports only convc_*" static_exports_only_convc
fact "every function of the headers is there" exports_what_the_headers_promise
fact "the shared library is libconvc.so.0" has_soname
fact "pkg-config, shared: the host runs" host_by_pkg_config_shared
fact "pkg-config, static: the host runs" host_by_pkg_config_static
fact "the server of the examples runs" server_by_pkg_config
fact "a static host may use the names of the insides" static_names_do_not_clash
fact "find_package: both hosts build" host_by_find_package
fact "find_package, shared: the host runs" "$work/cmake/build/host_shared"
fact "find_package, static: the host runs" "$work/cmake/build/host_static"
fact "the installed tool runs" installed_tool_runs
fact "the installed convc-measure answers" installed_measure_answers

# The README shows this very host program.
readme_shows_the_host() {
    awk '/^```c$/ { on = 1; next } /^```$/ { on = 0 } on' "$source/README.md" | diff - "$host"
}
fact "the README shows this very program" readme_shows_the_host

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
