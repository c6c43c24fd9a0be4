# SPDX-License-Identifier: MIT
#
# What compare and instructions share: running one benchmark of ours, and
# counting what a command does an operation.
#
# A count is the difference of two runs, one with twice the operations of the
# other, divided by the difference: starting, tidying up and the first
# operations, which are dearer, drop out.  Callgrind is told by aiolab itself
# where the operations begin and end, and needs one run.
# shellcheck shell=sh disable=SC2034 # some are for one of the two

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
root=$(CDPATH='' cd -- "$here/../.." && pwd -P)
build=${AIOLAB_BUILD:-$root/build}
aiolab=${AIOLAB:-$build/cli/aiolab}
peers=$build/tests/bench
self=$(basename "$0")
counter= # instruction_counter()
calls=   # call_counter()
dir=     # for files that end with the run
image=   # what file-... read

say() { printf '%s: %s\n' "$self" "$*" >&2; }

die() {
    status=$1
    shift
    say "$@"
    exit "$status"
}

need_build() {
    [ -x "$aiolab" ] || die 5 "$aiolab is not there; ./lab build makes it"
}

# "perf" where user-space instructions may be counted, else "callgrind", else
# nothing.  A virtual machine often has no counter.
instruction_counter() {
    if [ -n "${AIOLAB_COUNTER:-}" ]; then
        echo "$AIOLAB_COUNTER"
    elif perf stat -x, -e instructions:u true 2>&1 | grep -q '^[0-9]'; then
        echo perf
    elif command -v valgrind >/dev/null; then
        echo callgrind
    fi
}

# "perf" where the tracepoint may be counted, which costs the command least;
# else "strace", which changes who waits for whom; else nothing.
call_counter() {
    if perf stat -x, -e raw_syscalls:sys_enter true 2>&1 | grep -q '^[0-9]'; then
        echo perf
    elif command -v strace >/dev/null; then
        echo strace
    fi
}

# The number called $1 in the JSON object on stdin.
json_number() { sed -n "s/.*\"$1\":\([-0-9.e+]*\).*/\1/p"; }

# Instructions that "$@" spends in user space.
instructions_of() {
    case $counter in
    perf)
        perf stat -x, -e instructions:u -- "$@" 2>&1 >/dev/null |
            awk -F, '/instructions/ {print $1}'
        ;;
    callgrind)
        timeout 60 valgrind --tool=callgrind --callgrind-out-file=/dev/null \
            --fair-sched=yes "$@" 2>&1 >/dev/null |
            awk '/Collected/ {print $NF}'
        ;;
    esac
}

# The same, between bench_begin() and bench_end() only; 0 if aiolab was built
# without Valgrind's header.
instructions_between() {
    timeout 60 valgrind --tool=callgrind --callgrind-out-file=/dev/null \
        --instr-atstart=no --fair-sched=yes "$@" 2>&1 >/dev/null |
        awk '/Collected/ {print $NF + 0}'
}

# System calls of "$@" and its threads.
calls_of() {
    case $calls in
    perf)
        perf stat -x, -e raw_syscalls:sys_enter -- "$@" 2>&1 >/dev/null |
            awk -F, '/raw_syscalls/ {print $1}'
        ;;
    strace)
        timeout 60 strace -f -c -o "$dir/calls" "$@" >/dev/null 2>&1 || return 0
        awk '$4 ~ /^[0-9]+$/ && $NF != "total" {n += $4}
            END {print n}' "$dir/calls"
        ;;
    esac
}

# Valgrind does not let go of its lock while io_uring_enter() waits, so where it
# counts, loops that wake each other sleep in epoll.
monitor_for() {
    case $1 in
    bh-thread*) [ "$counter" != callgrind ] || echo epoll ;;
    esac
}

# command_ours BENCH COUNT and command_peer PEER BENCH COUNT run the benchmark
# once, as a command whose cost can be counted.
command_ours() {
    fdmon=
    case $run_as in
    instructions_*) fdmon=$(monitor_for "$1") ;;
    esac
    set -- "$aiolab" bench --rounds 1 --count "$2" \
        ${image:+--file "$image"} ${fdmon:+--fdmon "$fdmon"} "$1"
    "$run_as" "$@"
}

command_peer() {
    "$run_as" "$peers/peer-$1" "$2" "$3"
}

as_it_is() { "$@"; }

# per_operation instructions_of|calls_of COUNT COMMAND...: the last word of the
# command, a count, is left out.
per_operation() {
    run_as=$1 n=$2
    shift 2
    if [ "$run_as,$counter" = instructions_of,callgrind ]; then
        run_as=instructions_between
        some=$("$@" "$n") || some=0
        if [ "${some:-0}" -gt 0 ]; then
            echo "$some $n" | awk '{printf "%.2f\n", $1 / $2}'
            return
        fi
        run_as=instructions_of
    fi
    few=$("$@" "$n") && many=$("$@" $((2 * n))) || return 1
    [ -n "$few" ] && [ -n "$many" ] || return 1
    echo "$few $many $n" | awk '{
        d = ($2 - $1) / $3
        printf "%.2f\n", (d > 0.005 ? d : 0)
    }'
}
