# The root of trust is replaced on a running cluster: it goes in first, and the old one out last,
# when nobody uses it any more.
# Covers quiet.c, anchors.c and cross_sign.c.
. "$TESTS/cluster.sh"

asks_for() { # asks_for NODE NAME: the node asks its clients for certificates of that CA
    openssl s_client -starttls postgres -connect "127.0.0.1:$(port_of "$1")" </dev/null 2>/dev/null |
        sed -n '/^Acceptable client/,/^---/p;/^Requested/q' | grep -q "CN = $2"
}
anchors_of() {
    openssl crl2pkcs7 -nocrl -certfile "$lab/$1/tls/ca.crt" | openssl pkcs7 -print_certs -noout |
        sed -n 's/^subject=.*CN = //p'
}
every_store_holds() { # every_store_holds NAME...: these roots and no other, in this order
    want=$(printf '%s\n' "$@")
    for node in db1 db2 db3 app; do [ "$(anchors_of $node)" = "$want" ] || return 1; done
}
every_server_asks_for() { asks_for db1 "$1" && asks_for db2 "$1" && asks_for db3 "$1"; }
no_server_asks_for() { ! asks_for db1 "$1" && ! asks_for db2 "$1" && ! asks_for db3 "$1"; }
issuer_is() { # issuer_is FILE: what signs from now on, with its key beside it
    sed -i "s#^issuer: .*#issuer: {kind: local, certificate: $1.pem, key: $1.key, passphrase: {file: ca/pass}}#" "$lab/cluster.yaml"
}
new_root() { # new_root FILE NAME
    "$RESEAL" issuer create --certificate "$lab/$1.pem" --key "$lab/$1.key" --name "$2" \
        --passphrase-file "$lab/ca/pass" >/dev/null
}
issued_by() { openssl x509 -noout -issuer -in "$1" | grep -q "CN = $2\$"; }
all_issued_by() {
    for file in "$(server_file db1)" "$(server_file db2)" "$(server_file db3)" \
        "$(upstream_file db2)" "$(upstream_file db3)" "$(app_file)"; do
        issued_by "$file" "$1" || return 1
    done
}
holds_twin_alone() {
    every_store_holds 'Reseal Lab Root' || return 1
    for node in db1 db2 db3 app; do
        [ "$(spki "$lab/$node/tls/ca.crt")" = "$(spki "$lab/ca/twin.pem")" ] || return 1
    done
}

on healthy
new_root ca/new 'New Root'
issuer_is ca/new
run r plan
true_that "certificates of another CA are not due by themselves" says '^lab: 0 steps in 0 waves$'

# Somebody whom no link declares works with a certificate of the old root.
openssl req -newkey rsa:2048 -nodes -keyout monitor.key -out monitor.csr -subj /CN=monitor 2>/dev/null
openssl x509 -req -in monitor.csr -CA "$lab/ca/ca.pem" -CAkey "$lab/ca/ca.key" -passin "file:$lab/ca/pass" \
    -days 30 -out monitor.crt 2>/dev/null
chmod 600 monitor.key
sql db1 'create role monitor login' >/dev/null
echo 'hostssl all monitor 127.0.0.1/32 cert' >>"$lab/db2/data/pg_hba.conf"
sql db2 'select pg_reload_conf()' >/dev/null
mkfifo talk
psql -XAtqw "service=db2 user=monitor dbname=postgres sslcert=$PWD/monitor.crt sslkey=$PWD/monitor.key" \
    <talk >monitor.out 2>&1 &
monitor=$!
exec 9>talk
echo 'select 1;' >&9
before_down() { [ -z "${monitor:-}" ] || kill "$monitor" 2>/dev/null; exec 9>&-; monitor=; }
true_that "the monitor is connected" soon grep -qx 1 monitor.out

run r renew --new-issuer --yes
true_that "the renewal waits, which is no failure" says '^exit 0$'
true_that "it says for whom" says 'db2/postgres: user monitor is connected from .* with a certificate for monitor'
true_that "it says how to go on" says "renew --new-issuer --yes\$"
true_that "every certificate is of the new root" all_issued_by 'New Root'
true_that "every store holds both roots" every_store_holds 'Reseal Lab Root' 'New Root'
true_that "the monitor works on" sh -c 'echo "select 2;" >&9' 9>&9
true_that "the monitor is answered" soon grep -qx 2 monitor.out
true_that "the applications work" every_app
run r history
true_that "history says that it waits" says 'waiting'
run r renew --new-issuer --yes
true_that "run again it waits again" says 'user monitor is connected'
true_that "nothing was issued twice" sh -c '[ "$(wc -l <"$0")" -eq 6 ]' "$lab/ca/ledger.jsonl"

kill $monitor
wait $monitor 2>/dev/null
exec 9>&-
monitor=
sed -i 's/^policy: {/policy: {hold: 1h, /' "$lab/cluster.yaml"
run r renew --new-issuer --yes
true_that "policy.hold keeps the old root for a while" says 'nobody was seen using it; policy.hold keeps it until 20'
sed -i 's/hold: 1h, //' "$lab/cluster.yaml"
run r renew --new-issuer --yes
true_that "when all is quiet it comes to its end" says '^done in .*: apply 1, seen on the wire$'
true_that "the old root is in no store" every_store_holds 'New Root'
true_that "the new root is asked for" every_server_asks_for 'New Root'
true_that "the old root is in no process" no_server_asks_for 'Reseal Lab Root'
true_that "the applications work with the new root alone" every_app
true_that "the standbys stream" soon sh -c '[ "$1" = 2 ]' sh "$(sql db1 "select count(*) from pg_stat_replication where state = 'streaming'")"
run r check
true_that "all is well" says '^lab: ok at '
run r plan --new-issuer
true_that "nothing is left to do" says '^lab: 0 steps in 0 waves$'

run r rollback --yes
true_that "the way back is proven and taken" says '^done in .*: apply 2, seen on the wire$'
true_that "the old root is everywhere again and the new one is gone" every_store_holds 'Reseal Lab Root'
true_that "the servers ask for the old root again" every_server_asks_for 'Reseal Lab Root'
true_that "and no longer for the new one" no_server_asks_for 'New Root'
true_that "the old certificates are back" all_issued_by 'Reseal Lab Root'
true_that "the applications work as before" every_app

# A new root of the old one's name: only its key tells it apart.
new_root ca/twin 'Reseal Lab Root'
issuer_is ca/twin
run r renew --new-issuer --yes
true_that "a root of the same name takes its place" says '^done in .*: apply 3, seen on the wire$'
true_that "each store holds the new key alone" holds_twin_alone
true_that "the applications work with the twin" every_app

# A node that is left out would refuse what it does not know.
new_root ca/third 'Third Root'
issuer_is ca/third
run r renew --new-issuer --without db3 --yes
true_that "another root is refused while a node is left out" says 'db3 is left out, and nothing makes it trust CN=Third Root'
true_that "nothing was changed" holds_twin_alone
true_that "the applications still reach every node" every_app

# The old CA vouches for the new root, so nothing has to be loaded before certificates change.
run "$RESEAL" issuer cross-sign --certificate "$lab/ca/twin.pem" --key "$lab/ca/twin.key" \
    --passphrase-file "$lab/ca/pass" --for "$lab/ca/third.pem"
true_that "the old CA vouches for the new root" says '^CN=Reseal Lab Root vouches for CN=Third Root until 20'
r plan --new-issuer --json >plan.json
true_that "no anchor has to be loaded first" \
    jq -e '.proof.proven and all(.steps[]; .leaves != "trust loaded") and any(.steps[]; .kind == "distrust")' plan.json
run r renew --new-issuer --yes
true_that "the renewal is carried out" says '^done in .*: apply 4, seen on the wire$'
true_that "the cross certificate is sent along" sh -c '[ "$(grep -c BEGIN "$0")" = 2 ]' "$(server_file db1)"
true_that "the new root alone is trusted" every_store_holds 'Third Root'
true_that "and every application works" every_app
