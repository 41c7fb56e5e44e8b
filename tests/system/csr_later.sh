# Waiting for an authority: a week later, and renewals of every kind.
# Covers planning.c, awaited.c, renew.c and requests.c.
. "$TESTS/cluster.sh"
. "$TESTS/authority.sh"
authority
asking() { # asking N [OPTION...]: a fresh lab that waits for N certificates
    wanted=$1
    shift
    fresh "${state:-expiring}"
    "${issuer:-asks_authority}"
    r renew --yes "$@" >renew.out 2>&1
    grep -q "^waiting for $wanted step" renew.out || { echo "not ok it waits for $wanted"; cat renew.out; }
}

# ---- a plan that somebody approved, a week later ----

later() { LD_PRELOAD="${RESEAL%/*}/libclock_off.so" CLOCK_OFF=604800 "$RESEAL" -f "$lab/cluster.yaml" --state "$lab/reseal" "$@"; }
soon_due() { # the application's certificate is due in four days
    openssl req -new -key "$lab/app/tls/client.key" -subj /CN=app -out app.csr
    openssl x509 -req -in app.csr -CA "$lab/ca/ca.pem" -CAkey "$lab/ca/ca.key" -passin "file:$lab/ca/pass" \
        -CAcreateserial -days 34 -out app.crt 2>/dev/null
    cat app.crt >"$lab/app/tls/client.crt"
}
for how in "apply plan.json" "renew --yes"; do
    fresh expiring
    asks_authority
    soon_due
    r plan --out plan.json >plan.out
    true_that "$how: five are due today" jq -e '[.steps[] | select(.kind == "issue")] | length == 5' plan.json
    r $how >apply.out 2>&1
    true_that "$how: it waits for five" grep -q '^waiting for 5 steps' apply.out
    spkis >before.keys
    later $how >apply.out 2>&1
    true_that "$how: a week later it still waits for these" eval \
        'grep -q "^waiting for 5 steps" apply.out && spkis >after.keys && cmp before.keys after.keys'
    signs_all
    later $how >apply.out 2>&1
    true_that "$how: a week later it goes on to its end" grep -q '^done in' apply.out
    r history --json >history.json
    true_that "$how: it was one apply" jq -e '[.applies[].outcome] == ["done"]' history.json
    later plan --json >plan.json
    true_that "$how: what has become due since comes next" jq -e '[.steps[] | select(.kind == "issue") | .node] == ["app"]' plan.json
done

# ---- other renewals ----

state=healthy
asking 6 --all
run r renew --yes
true_that "renew --all that waits is gone on with by renew" says '^waiting for 6 steps'
for each in $(requests); do signs "$each" "$each.crt" -startdate 20260101000000Z -enddate 20990101000000Z; done
ran r renew --yes
true_that "it comes to its end" says '^done in'
true_that "it was one apply" eval 'r history --json | jq -e "[.applies[].outcome] == [\"done\"]"'
run r renew --yes
true_that "renew after it has nothing to do" says 'nothing to do'
state=

asking 6 --new-issuer
signs_all
ran r renew --yes
true_that "a change of root waits, and goes on with the old root's way out" \
    eval 'says "^done in" && says "distrust  remove CN=Reseal Lab Root from app/trust"'
true_that "a change of root: check finds nothing" r check
true_that "a change of root: the old one is in no trust store" \
    eval '! cat "$lab"/db?/tls/ca.crt "$lab/app/tls/ca.crt" | openssl crl2pkcs7 -nocrl -certfile /dev/stdin | openssl pkcs7 -print_certs -noout | grep -q "Reseal Lab Root"'

asking 6 --keep-key
true_that "keep-key: no key is made" eval '[ -z "$(keys)" ]'
true_that "keep-key: the request is for the key that is there" \
    eval '[ "$(openssl req -in "$(request db1 server).csr" -noout -pubkey)" = "$(openssl pkey -in "$lab/db1/tls/server.key" -pubout)" ]'
signs_all
ran r renew --yes
true_that "keep-key: it comes to its end" says '^done in'
true_that "keep-key: with the old key" \
    eval '[ "$(spki "$(server_file db1)")" = "$(spki "$lab/db1/tls/server.crt")" ]'

fresh expiring
asks_authority
echo 'in the way' >"$lab/requests"
refused "where no request can be written nothing is begun" 'requests: (Not a directory|File exists)' r renew --yes
rm "$lab/requests"
sed -i 's|^issuer:.*|issuer: {kind: csr, directory: requests, certificate: none.pem}|' "$lab/cluster.yaml"
refused "an authority whose certificate is not there is named" 'none.pem cannot be read' r renew --yes
sed -i 's|^issuer:.*|issuer: {kind: csr}|' "$lab/cluster.yaml"
refused "an issuer without its directory is refused" 'an issuer of kind csr needs .directory.' r renew --yes
sed -i 's|^issuer:.*|issuer: {certificate: ca/ca.pem, key: ca/ca.key, passphrase: {file: ca/pass}}|' "$lab/cluster.yaml"
run r issuer deliver authority/sub.pem
true_that "a CA of our own is delivered nothing" eval 'says "signs by itself" && says "^exit 2$"'
run r issuer list
true_that "issuer list shows the ledger of the cluster's own CA" says 'has issued nothing yet'
