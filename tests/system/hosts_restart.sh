# Two hosts in namespaces, of which one starts again between install and refresh: whatever it had in
# memory is gone, and its services begin with what is stored. Covers fleet.c.
. "$TESTS/lib.sh"
. "$TESTS/hosts.sh"

# restarted HOST: as soon as its service is to load what is stored, the host is off, and then on again.
restarted() {
    hosts_up
    rm -f off
    [ "$1" = b ] || between_at_a
    happens request '"kind":"refresh"' "touch $w/off; exec sleep 60"
    r renew --yes >renew.out 2>&1 </dev/null &
    renewal=$!
    true_that "restarted $1: it is told to load" soon test -e off
    pull_plug "$1"
    wait "$renewal"
    true_that "restarted $1: the renewal stops" test $? -eq 1
    true_that "restarted $1: what became of the step is not known" grep -q 'UNKNOWN *refresh' renew.out
    start_host "$1"
    works "restarted $1"
    true_that "restarted $1: it has started with what was stored" \
        test "$(served "$1")" = "$(serial "$(stored "$1")")"
    true_that "restarted $1: that is new" test "$(served "$1")" != "$(serial "$1.made/tls/server.crt")"
    true_that "restarted $1: run again, it goes on" r renew --yes
    whole "restarted $1"
}
restarted b
restarted a
