# In what the contracts of the command line are written: a directory of their own, a count of facts.
# To be sourced with the path of convc as $1. `run` is the command that ends and refuses run.

convc=$(realpath "$1")
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 3
export XDG_CACHE_HOME=$dir/cache
run=("$convc")
passed=0 failed=0

# verdict NAME CONDITION...: counts one fact.
verdict() {
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "FAILED: $name"
        sed 's/^/    stdout: /' out
        sed 's/^/    stderr: /' err
    fi
}

# ends CODE WORD...: runs it with these words, keeps out and err, compares the exit code.
ends() {
    local code=$1 got
    shift
    "${run[@]}" "$@" >out 2>err </dev/null
    got=$?
    [ $got -eq "$code" ] || { echo "exit $got instead of $code" >>err; return 1; }
}

one_sentence() { [ "$(wc -l <err)" -eq 1 ] && grep -q '^convc: ' err && [ ! -s out ]; }

# refuses CODE WORDS WORD...: the exit code, one sentence with these words, nothing on stdout.
refuses() {
    local code=$1 words=$2
    shift 2
    verdict "${run[*]##*/} $* ends with $code" ends "$code" "$@"
    verdict "${run[*]##*/} $* says one sentence" one_sentence
    verdict "${run[*]##*/} $* says: $words" grep -qF -- "$words" err
}
