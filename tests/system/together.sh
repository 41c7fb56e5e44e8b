# Two at once: the second is refused, or takes over, and then the first changes nothing any more.
# Covers hold.c.
. "$TESTS/cluster.sh"

cluster=$lab/cluster.yaml

# The coordinator is held still while its workers wait for it.
on expiring
begin "$RESEAL" -f "$cluster" --state "$lab/reseal" renew --yes
true_that "the first one has the lease" soon taken
kill -STOP "$first"
true_that "and is held still" soon stopped "$first"
sleep 1 # what it had asked for is done
refused "the second is refused, and names who has it" "@.*:$first \\(process $first on .*\\) is changing this cluster" \
    "$RESEAL" -f "$cluster" --state "$lab/reseal" renew --yes
true_that "its next command takes over" says "^ *next: .* renew --yes --take-over '[^']*@[^']*:$first'"
refused "another state folder does not make a second winner" "@.*:$first \\(process" \
    "$RESEAL" -f "$cluster" --state "$(pwd)/other" renew --yes
refused "nor does the name of somebody else" "process $first on" \
    "$RESEAL" -f "$cluster" --state "$lab/reseal" renew --yes --take-over nobody
r renew --yes >refused.out 2>&1
run sh -c "$(sed -n 's/^ *next: *//p' refused.out)"
true_that "the next command, typed as it is, succeeds" says '^exit 0$'
the_first_is_over "coordinator"
converged "coordinator"

# Somebody writes to the journal and does not come to an end.
python3 -c 'import sqlite3, sys, time
journal = sqlite3.connect(sys.argv[1])
journal.execute("BEGIN IMMEDIATE")
time.sleep(60)' "$lab/reseal/journal.sqlite" &
writer=$!
writes() { grep -q "WRITE $writer .* 120 120$" /proc/locks; }
soon writes
refused "journal: who has been writing to it is named" \
    "journal: process $writer has been writing to it for 10 seconds" r renew --all --yes
kill "$writer"

# The whole group is held still, while its coordinator writes nothing to the journal.
on expiring
begin "$RESEAL" -f "$cluster" --state "$lab/reseal" renew --yes
true_that "group: the first one has the lease" soon taken
soon grep -q '13/31' first.out
held_still() {
    kill -STOP "-$first"
    soon stopped "$first"
    grep -q "WRITE $first .* 120 120$" /proc/locks || return 0
    kill -CONT "-$first"
    return 1
}
true_that "group: it is held still" soon held_still
refused "group: the second is refused" "is changing this cluster|is writing to this node" r renew --yes
for node in db1 db2 db3 app none; do
    run r renew --yes --take-over "$(id -un)@$(hostname):$first"
    says '^exit 0$' && break
    # A worker that was held still inside a change keeps its node's lock until it is ended.
    kill -9 "$(sed -n 's/.*: process \([0-9]*\) is writing to this node.*/\1/p' out)"
done
true_that "group: taking over succeeds" says '^exit 0$'
says "^exit 0$" || sed "s/^/# /" out first.out
the_first_is_over "group"
converged "group"
