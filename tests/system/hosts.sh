# Two hosts in namespaces, and a network that is cut in the middle of a renewal. Covers place.c,
# network.c and hold.c.
. "$TESTS/lib.sh"
. "$TESTS/hosts.sh"
events() { r history "$(r history --json | jq '.applies[0].apply')" --json >events.json; }
# elsewhere COMMAND...: as on another machine of the coordinator's network.
elsewhere() { in_net ctl unshare --uts sh -c 'hostname other && exec "$@"' sh "$@"; }

# ---- as it is ----

r check --json >check.json
true_that "every connection is judged on the wire, each from its own host" \
    jq -e '[.links[] | select(.verdict == "ok" and .basis == "wire")] | map(.from + "->" + .to) | sort == ["app/app->a/postgres", "app/app->b/postgres", "b/postgres->a/postgres"]' check.json
true_that "that they listen everywhere is no riddle: nobody is unknown" \
    jq -e '[.findings[].code] | unique == ["expiring"]' check.json

# ---- the cable is pulled when b has installed, before it says so ----

happens answer '"kind":"install"' 'ip link set eth0 down'
run r renew --yes
true_that "cut: it stops" says '^exit 1$'
true_that "cut: what became of the step is not known" says 'UNKNOWN +install'
true_that "cut: how the connection was lost is said" says 'carry_out: the connection was lost: Timeout, server .* not responding'
true_that "cut: and why it cannot be asked again" says 'asked again: node b: '
true_that "cut: what to type is said" says 'to go on: .* renew --yes'
true_that "cut: what is not cut works" app a
run r check
true_that "cut: check names the host that is away" says 'critical +b: node b: '
true_that "cut: and judges the rest" says '^  ok +app/app->a/postgres'
refused "cut: another renewal is refused before it begins" 'b: node b: ' r renew --yes
cable b up
works "back"
events
true_that "back: the journal says what is uncertain" \
    jq -e '[.events[] | select(.state == "uncertain")] | length == 1' events.json
true_that "back: b still has the lease of the one that was lost" jq -e '.holder != null' b/var/reseal/nodes/b/node/leases/*.json
run elsewhere "$RESEAL" -f ctl/cluster.yaml --state ctl/other renew --yes
true_that "back: on another machine nobody can know that it is dead" says 'is changing this cluster'
true_that "back: who knows it can say so" says 'next: .* renew --yes --take-over .*@'
run r renew --yes
true_that "back: where it ran it is known to be dead, and the renewal goes on" says '^exit 0$'
whole "back"

# ---- the cable is pulled before the switch is asked for, and the way back is taken ----

hosts_up
contents >at_first
happens request '"kind":"switch"' 'ip link set eth0 down'
run r renew --yes
true_that "back again: it stops in the middle" says 'UNKNOWN +switch'
cable b up
works "back again"
run r rollback --yes
true_that "back again: rollback succeeds" says '^exit 0$'
works "back again, undone"
for host in a b; do
    true_that "back again, undone: $host presents the old certificate" \
        test "$(served $host)" = "$(serial "$host.made/tls/server.crt")"
done
true_that "back again, undone: nothing is lost" sh -c 'grep -E "^[0-9a-f]{64} " at_first | grep tls/ | sha256sum --quiet -c'
run r renew --yes
true_that "back again, undone: and it can be done after all" says '^exit 0$'
works "back again, done"

# ---- the cable is pulled when all is done and nothing is proven ----

hosts_up
rm -f last
between_at_a
happens before '"kind":"refresh"' "touch $w/last; until [ -e $w/go ]; do sleep 0.1; done"
r renew --yes >renew.out 2>&1 </dev/null &
renewal=$!
true_that "unproven: the primary is the last to load" soon test -e last
cable b down
touch go
wait "$renewal"
true_that "unproven: the renewal stops" test $? -eq 1
true_that "unproven: a is not proven by what is left of its connections" \
    grep -A1 'FAILED *verify.*a/postgres' renew.out
true_that "unproven: what is missing is said" grep -q 'b/postgres->a/postgres.*: a node of it did not answer' renew.out
cable b up
works "unproven"
run r renew --yes
true_that "unproven: run again, only the proof is left" says '^exit 0$'
true_that "unproven: and nothing is done twice" not says ' (install|switch|refresh) '
whole "unproven"

# ---- the coordinator is away for a while, and somebody else takes over ----

hosts_up
rm -f held go
happens request '"kind":"install"' "touch $w/held; until [ -e $w/go ]; do sleep 0.1; done; kill -9 \$SESSION"
in_net ctl setsid "$RESEAL" -f ctl/cluster.yaml --state ctl/state renew --yes >first.out 2>&1 </dev/null &
first=$!
true_that "taken over: the first one is in the middle of it" soon test -e held
kill -STOP "$first"
elsewhere "$RESEAL" -f ctl/cluster.yaml --state ctl/other renew --yes >refused.out 2>&1 </dev/null
run elsewhere sh -c "$(sed -n 's/^ *next: *//p' refused.out)"
true_that "taken over: the next command of the second one, typed as it is, succeeds" says '^exit 0$'
contents >before
touch go
kill -CONT "$first"
wait "$first"
true_that "taken over: the first one, when it is back, fails" test $? -eq 1
true_that "taken over: and says why" grep -Eq 'token [0-9]+ (is stale|holds no lease)' first.out
contents >after
true_that "taken over: and changes nothing" cmp before after
whole "taken over"
