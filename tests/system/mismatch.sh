# A key of another certificate, a node that is left out, and a server that says nothing.
# Covers preflight.c.
. "$TESTS/cluster.sh"

on expiring
openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 >wrong.key 2>/dev/null
cat wrong.key >"$lab/db2/tls/server.key"
run r check --json
true_that "a key that is not the certificate's is reported" sh -c \
    'sed "\$d" out | jq -e "[.findings[] | select(.code == \"key_mismatch\" and .severity == \"critical\") | .where] == [\"db2/server\"]"'
true_that "as critical" says '^exit 2$'
true_that "nothing broke by it yet" every_app
run r plan
true_that "the plan repairs it" says '^    issue .*[ ,]db2/server,'
run r renew --yes
true_that "renew repairs it" says '^exit 0$'
true_that "the pair that does not match was never loaded" \
    not grep -Eq 'not reloaded|key values mismatch|could not load private key' "$lab/db2/log"
true_that "db2 presents the new certificate" test "$(served db2)" = "$(serial "$(server_file db2)")"
new=$(server_file db2)
true_that "which belongs to the new key" \
    test "$(spki "$new")" = "$(openssl pkey -in "${new%.crt}.key" -pubout | openssl sha256)"
true_that "check finds nothing" r check

on expiring
mv "$lab/db3/data/postgresql.conf" "$lab/db3/data/gone.conf"
contents | grep '[ /]db3/' >before
run r renew --without db3 --yes
true_that "without the node that cannot be looked into the rest is renewed" says '^exit 0$'
contents | grep '[ /]db3/' >after
true_that "that node is left as it is" diff before after
mv "$lab/db3/data/gone.conf" "$lab/db3/data/postgresql.conf"
true_that "the application connects to every node" every_app
true_that "db2 streams with a new certificate" soon streams_with db2 "$(upstream_file db2)"
true_that "and db3 with the old one" streams_with db3 "$lab/db3/tls/client.crt"
run r renew --without db9 --yes
true_that "a node of no such name cannot be left out" says 'db9: there is no such node'
run r renew --yes
true_that "with the node back its part is made up for" says '^exit 0$'
true_that "check finds nothing more" r check

# Something else has the port of a server that is down, takes connections and says nothing.
on expiring
pg db3 stop
perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr => "127.0.0.1", LocalPort => $ARGV[0], Listen => 20, ReuseAddr => 1) or die; sleep 100' "$(port_of db3)" &
mute=$!
before_down() { kill "$mute" 2>/dev/null; }
true_that "a mute server listens" soon listening "$(port_of db3)"
run timeout 60 "$RESEAL" -f "$lab/cluster.yaml" --state "$lab/reseal" check
true_that "check of it ends" says '^exit 2$'
true_that "check says what it is" says 'db3/postgres: the server said nothing before TLS began'
run timeout 60 "$RESEAL" check "127.0.0.1:$(port_of db3)" -p postgresql --ca "$lab/app/tls/ca.crt"
true_that "so does check of its address" says 'the server said nothing before TLS began'
true_that "which could not tell" says '^exit 3$'
run timeout 120 "$RESEAL" -f "$lab/cluster.yaml" --state "$lab/reseal" renew --yes
true_that "the rest is renewed" says '^exit 0$'
true_that "and that one waits" says '^done .*; 1 service waits to be seen$'
