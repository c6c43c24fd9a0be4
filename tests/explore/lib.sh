# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# What the tests of many processes share.  AIOLAB: the program under test.

: "${AIOLAB:?is the program under test}"
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir" || exit 1

# A sentence, and the status that tells meson that the test was skipped.
skip() {
    echo "skipped: $*"
    exit 77
}

fail() {
    echo "FAILED: $*"
    exit 1
}

# Runs a command that may end with status 1: there were findings.
finds() {
    "$@" || [ $? -eq 1 ] || fail "$*"
}

# Units of a few scenarios, with and without failures, into the file units.
plan_units() {
    "$AIOLAB" plan nested-laio/buggy nested-laio/fixed bh-order/thread \
        --all -n 300 --chunk 100 >units || fail "plan"
    [ "$(wc -l <units)" -eq 9 ] || fail "not nine units"
}

# All of them, one after the other, on one core; merged into one.findings.
run_one_by_one() {
    mkdir one
    n=0
    while read -r unit; do
        n=$((n + 1))
        finds taskset -c "$(first_core)" "$AIOLAB" explore --unit "$unit" \
            -o "one/$n" -q </dev/null
    done <units
    finds "$AIOLAB" merge one/* -o one.findings -q
}

first_core() { taskset -cp $$ | sed 's/.*: *\([0-9]*\).*/\1/'; }

# The merged file $1 is the one of run_one_by_one, byte for byte.
expect_same() {
    sqlite3 "$1" 'SELECT * FROM finding' >other.txt
    sqlite3 one.findings 'SELECT * FROM finding' >one.txt
    [ -s one.txt ] || fail "nothing was found"
    diff one.txt other.txt || fail "$1: other findings than one by one"
    cmp one.findings "$1" || fail "$1: not the same file"
}
