# Stores with room for one anchor: what curl trusts, and what an nginx holds its clients against. The
# root is replaced in one step, with a cross certificate while connections go on, without one in an
# outage that the plan declares.
# Covers swaps.c and swap_time.c, and `replace` at the node.
. "$TESTS/lib.sh"
lab=$PWD/lab
watcher=
trap 'stop_watching; "$RESEAL" lab down --dir "$lab" >/dev/null 2>&1' EXIT
trap 'exit 1' HUP INT TERM

on() {
    "$RESEAL" lab down --dir "$lab" >/dev/null 2>&1
    "$RESEAL" lab up web --dir "$lab" --state healthy >up.out 2>&1 || cat up.out
    sed -i -E '/certificates: (app|web1)\/tls\/ca.crt/s/}$/, holds: one}/' "$lab/cluster.yaml"
}
r() { "$RESEAL" -f "$lab/cluster.yaml" --state "$lab/reseal" "$@"; }
says() { grep -qE -e "$1" out; }
answers() { curl -sS -K "$lab/app/curl.conf"; }
names_in() { openssl crl2pkcs7 -nocrl -certfile "$1" | openssl pkcs7 -print_certs -noout | sed -n 's/^subject=.*CN = //p'; }
both_hold() { [ "$(names_in "$lab/app/tls/ca.crt")" = "$1" ] && [ "$(names_in "$lab/web1/tls/ca.crt")" = "$1" ]; }
old_key() { set -- "$lab/ca/ca"; "$RESEAL" issuer cross-sign --certificate "$1.pem" --key "$1.key" --passphrase-file "$lab/ca/pass" --for "$lab/ca/new.pem"; }
new_root() { # new_root FILE NAME: it signs from now on
    "$RESEAL" issuer create --certificate "$lab/ca/$1.pem" --key "$lab/ca/$1.key" --name "$2" \
        --passphrase-file "$lab/ca/pass" >/dev/null
    sed -i "s#^issuer: .*#issuer: {kind: local, certificate: ca/$1.pem, key: ca/$1.key, passphrase: {file: ca/pass}}#" "$lab/cluster.yaml"
}
# watch: connections all the time, and each time what the stores hold.
watch() {
    while :; do
        answers >/dev/null 2>>refused.out || echo refused >>refused.out
        for file in "$lab/app/tls/ca.crt" "$lab/web1/tls/ca.crt"; do
            [ "$(grep -c BEGIN "$file")" = 1 ] || echo "$file" >>many.out
        done
        echo once >>rounds.out
    done
}
start_watching() { : >refused.out; : >many.out; : >rounds.out; watch & watcher=$!; }
stop_watching() { [ -z "$watcher" ] || { kill "$watcher"; wait "$watcher" 2>/dev/null; watcher=; }; }

on
sed -i 's/, holds: one/, holds: none/' "$lab/cluster.yaml"
run r plan
true_that "what a store can hold is one or many" says "'holds' is one of many, one|must be one of|holds"
sed -i 's/, holds: none/, holds: one/' "$lab/cluster.yaml"
new_root new 'New Root'
run r plan --new-issuer
true_that "without a cross certificate there is no order in which every link works" \
    says 'because app/trust holds one anchor at a time, and what is presented'
true_that "the plan says what would make one" says 'issuer cross-sign --certificate OLD.pem --key OLD.key --for .*ca/new.pem$'
run r renew --new-issuer --yes
true_that "and it is not carried out" says 'no order in which every link works: nothing was changed'
true_that "nothing was" both_hold 'Reseal Lab Root'

run old_key
r plan --new-issuer --json >plan.json
true_that "with one there is" jq -e '.proof.proven and all(.steps[]; .refused == null)' plan.json
true_that "both stores get the new root in the place of the old, after the hold" jq -e '
    [.steps[].kind] as $kinds | ($kinds | index("hold")) as $hold |
    [.steps[] | select(.kind == "replace")] as $swaps |
    ($swaps | length) == 2 and all($swaps[]; .leaves == .certificate and (.expects | startswith("sha256:"))) and
    ($kinds | index("replace")) > $hold and
    any(.steps[]; .kind == "refresh" and .node == "web1" and .leaves == "anchor replaced")' plan.json
true_that "which the proof has as one change" jq -e '
    [.proof.waves[].changes.trusts["app/trust"] | select(. != null)] |
    length == 1 and (.[0].add | length) == 1 and (.[0].remove | length) == 1' plan.json
start_watching
run r renew --new-issuer --yes
true_that "it is carried out" says '^done in .*: apply 1, seen on the wire$'
stop_watching
true_that "each store holds the new root alone" both_hold 'New Root'
true_that "no store ever held two, or none" test ! -s many.out
true_that "no connection was refused meanwhile" test ! -s refused.out
true_that "and there were some" test -s rounds.out

# A store that holds two is not what it is said to be.
cat "$lab/ca/ca.pem" >>"$lab/app/tls/ca.crt"
run r plan --new-issuer
true_that "a store with two is refused" says 'app/trust is declared to hold one certificate, and holds 2'
openssl x509 -in "$lab/ca/new.pem" -out "$lab/app/tls/ca.crt"

start_watching
run r rollback --yes
true_that "the way back is carried out" says '^done in '
stop_watching
true_that "each store holds the earlier root alone" both_hold 'Reseal Lab Root'
true_that "no store ever held two, or none, on the way back" test ! -s many.out
true_that "no connection was refused on the way back" test ! -s refused.out
true_that "the application is answered" answers

new_root third 'Third Root'
run r renew --new-issuer --yes --allow-outages
true_that "an outage that was agreed to is carried out" says '^done in .*: apply 3, seen on the wire$'
true_that "each store holds the new root alone after it" both_hold 'Third Root'
true_that "and the application is answered" answers
