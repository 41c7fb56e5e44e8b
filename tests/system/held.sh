# A worker that is held still in the middle of a change. Covers hold.c.
. "$TESTS/cluster.sh"

cluster=$lab/cluster.yaml
# A process that holds keys can be traced by root alone.
as_root=
[ "$(id -u)" -eq 0 ] || as_root="sudo -n"
$as_root true 2>/dev/null || {
    echo "ok a worker is held still by root: not tried"
    exit
}
# A worker is held still in the middle of a change: it has its node's lock.
on expiring
begin "$RESEAL" -f "$cluster" --state "$lab/reseal" renew --yes
true_that "worker: the first one has the lease" soon taken
worker=$(grep -l "lab/reseal/db2" $(sed "s|\([0-9]*\) *|/proc/\1/cmdline |g" "/proc/$first/task/$first/children"))
worker=${worker#/proc/} worker=${worker%/cmdline}
$as_root strace -o trace.out -p "$worker" -e trace=rename -e inject=rename:signal=SIGSTOP:when=1 2>/dev/null &
tracer=$!
# Not a moment of the tracer's own.
true_that "worker: it is held still" soon grep -qs 'stopped by SIGSTOP' trace.out
kill -STOP "$first"
run r renew --yes --take-over "$(id -un)@$(hostname):$first"
true_that "worker: taking over waits, then names the process" says "process $worker is writing to this node"
true_that "worker: and fails" says '^exit 1$'
true_that "worker: it says what to do" says 'next: .*'
true_that "worker: every connection works" every_app
kill -9 "$worker"
wait "$tracer" 2>/dev/null
run r renew --yes --take-over "$(id -un)@$(hostname):$first"
true_that "worker: once that has ended, taking over succeeds" says '^exit 0$'
the_first_is_over worker
converged worker
