# Two servers of one node that read the same files: both follow a renewal, and both go back.
. "$TESTS/incidents.sh"
trap 'stop_all' EXIT
trap 'exit 1' HUP INT TERM
stop_all() { [ ! -e stop ] || sh stop; }
r() { "$RESEAL" --state state "$@"; }
serial() { openssl x509 -noout -fingerprint; }
shown() { # what a new connection to each of them is shown
    for port in $ports; do
        openssl s_client -connect "127.0.0.1:$port" </dev/null 2>/dev/null | serial 2>/dev/null || echo none
    done | sort -u
}
stored() { serial <one/tls.crt; }

root ca
mkdir one two
leaf one/tls ca host
last=$((20000 + $$ * 131 % 12000)) ports=
for name in one two; do
    listen
    nginx $name "$port"
    sed -i "s|$PWD/two/tls|$PWD/one/tls|g" $name/conf
    ports="$ports $port"
    services="${services:+$services, }$name: {listen: \"127.0.0.1:$port\", protocol: tls, identities: [{store: tls}], load: {identity: reload}, refresh: [sh, $PWD/$name/refresh]}"
done
declare_node host "{state: $PWD/host/state, stores: {tls: {certificate: one/tls.crt, key: one/tls.key}}, services: {$services}}"
mkdir client
bundle client/ca.pem ca
declare_node client "{state: $PWD/client/state, stores: {ca: {certificates: client/ca.pem}}, services: {app: {trust: [ca]}}}"
for name in one two; do
    echo "  - {from: client/app, to: host/$name, name: localhost, verify: full}" >>links.part
done
issuer ca
before=$(stored)
true_that "both show what is stored" test -n "$before" -a "$(shown)" = "$before"
run r renew --all --yes
true_that "they are renewed" grep -q 'seen on the wire$' out
after=$(stored)
true_that "with another certificate" test "$after" != "$before"
true_that "that both show" test "$(shown)" = "$after"
run r rollback --yes
true_that "it is taken back" grep -qx 'exit 0' out
true_that "in both" test -n "$before" -a "$(shown)" = "$before" -a "$(stored)" = "$before"
