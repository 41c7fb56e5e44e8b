# Waiting for an authority: given up, forgotten, and state that is lost.
# Covers forget.c, requests.c, awaited.c, rollback.c and perform.c.
. "$TESTS/cluster.sh"
. "$TESTS/authority.sh"
outside() { contents | grep -v -e ' \./reseal/' -e '^\./reseal/' -e requests/; }
authority
asking() { # asking N [OPTION...]: a fresh lab that waits for N certificates
    wanted=$1
    shift
    fresh "${state:-expiring}"
    "${issuer:-asks_authority}"
    outside >first
    r renew --yes "$@" >renew.out 2>&1
    grep -q "^waiting for $wanted step" renew.out || { echo "not ok it waits for $wanted"; cat renew.out; }
}
last() { r history --json | jq -r '.applies[0].outcome'; }

# ---- rollback: the trust goes out again, the keys are wiped ----

asking 6
ln "$(keys | head -n 1)" seen.key
ran r rollback --yes
same "rollback forgets what is waited for" out <<'X'

  1/14  ok      snapshot  save db1/clients
  2/14  ok      snapshot  save db2/clients
  3/14  ok      snapshot  save db3/clients
  4/14  ok      snapshot  save app/trust
  5/14  ok      distrust  remove CN=Company Root from db1/clients
  6/14  ok      distrust  remove CN=Company Root from db2/clients
  7/14  ok      distrust  remove CN=Company Root from db3/clients
  8/14  ok      distrust  remove CN=Company Root from app/trust
  9/14  ok      refresh   load what is left to trust into db2/postgres
 10/14  ok      refresh   load what is left to trust into db3/postgres
 11/14  ok      refresh   load what is left to trust into db1/postgres
 12/14  ok      verify    connect as every peer of db2/postgres
         2 connections accepted on the wire
 13/14  ok      verify    connect as every peer of db3/postgres
         2 connections accepted on the wire
 14/14  ok      verify    connect as every peer of db1/postgres
         3 connections accepted on the wire

6 requests are forgotten: keys wiped, files put away

done in SECONDS: apply 2, seen on the wire
exit 0
X
true_that "no key is left" eval '[ -z "$(keys)" ]'
true_that "it was overwritten, not only removed" eval '[ -s seen.key ] && [ -z "$(tr -d "\000" <seen.key)" ]'
outside >then
true_that "every file is as it was" diff first then
run r issuer list
blur
same "nothing is waited for" out <<'X'
nothing is waited for in LAB/requests
exit 0
X
run r rollback --yes
true_that "twice is refused" says 'there is no apply to undo'
r renew --yes >renew.out
true_that "renew asks anew" grep -q '^waiting for 6 steps' renew.out

# ---- nothing to take back but the wait: who signs is not declared, and is the CA that signed before ----

asks_nobody_new() {
    sed -i 's|^issuer:.*|issuer: {kind: csr, directory: requests}|' "$lab/cluster.yaml"
}
issuer=asks_nobody_new
asking 6
true_that "no trust is needed for a CA that signed what is there" eval '! grep -q " trust " renew.out'
run r rollback
blur
sed -i 1,/^proof/d out
same "rollback asks first" out <<'X'
reseal: nobody is here to ask, and nothing was changed
  next: reseal -f LAB/cluster.yaml --state LAB/reseal rollback --yes
exit 1
X
true_that "rollback asks first: the keys are there" eval '[ "$(keys | wc -l)" -eq 6 ]'
ran r rollback --yes
same "a wait alone is taken back" out <<'X'

6 requests are forgotten: keys wiped, files put away

everything is as it was
exit 0
X
true_that "a wait alone: no key is left" eval '[ -z "$(keys)" ]'
r history --json >history.json
true_that "a wait alone: history says so" jq -e '[.applies[].outcome] == ["nothing done", "rolled back"]' history.json
asking 6
r rollback --raw --yes >raw.out
true_that "--raw forgets it too" eval '[ -z "$(keys)" ] && [ "$(last)" = "rolled back" ]'

asking 6
for name in $(requests); do
    openssl x509 -req -in "$name.csr" -CA "$lab/ca/ca.pem" -CAkey "$lab/ca/ca.key" \
        -passin "file:$lab/ca/pass" -CAcreateserial -days 200 -copy_extensions copyall -out "$name.crt" 2>/dev/null
done
ran r renew --yes
true_that "who signed before signs again" says '^done in'
true_that "who signed before: check finds nothing" r check
signs_by_another() { # db1's certificate is from the company's CA, which everybody trusts
    asks_nobody_new
    for store in "$lab"/db?/tls/ca.crt "$lab"/app/tls/ca.crt; do cat authority/root.pem >>"$store"; done
    openssl req -new -key "$lab/db1/tls/server.key" -subj /CN=db1.lab.example -addext subjectAltName=DNS:db1.lab.example -out db1.csr
    signs db1 db1.crt
    cat db1.crt authority/sub.pem >"$lab/db1/tls/server.crt"
}
fresh expiring
signs_by_another
refused "two CAs: who is to sign has to be declared" \
    'who is to sign is not declared, and db1/server is signed by CN=Company Issuing CA, db[123]/[a-z]* by CN=Reseal Lab Root' r renew --yes
issuer=

# ---- forgetting one ----

asking 6
db1=$(request db1 server)
one=${db1##*/}
first_key=$(openssl req -in "$db1.csr" -noout -pubkey)
run r issuer forget "$one"
blur
same "forgetting asks first" out <<'X'
reseal: nobody is here to ask, and nothing was changed
  next: reseal -f LAB/cluster.yaml --state LAB/reseal issuer forget db1-server-STEP --yes
exit 1
X
run r issuer forget db1 --yes
blur
true_that "a request that is not there is none to forget, and those that are there are named" \
    says '^reseal: no request is called db1: there are .*db1-server-STEP'
run r issuer forget --yes
true_that "nothing is forgotten by accident" says '^reseal: name the requests to forget, or --all: there are '
true_that "nothing is forgotten by accident: all keys are there" eval '[ "$(keys | wc -l)" -eq 6 ]'
signs "$db1" old.crt
run r issuer forget "$one" --yes
blur
same "one is forgotten" out <<'X'
db1-server-STEP: key wiped, files put away
exit 0
X
true_that "one is forgotten: five keys are left" eval '[ "$(keys | wc -l)" -eq 5 ]'
r history 1 --json >one.json
true_that "one is forgotten: the journal has it" jq -e '.outcome == "waiting" and (.waiting | length) == 5 and (.events[-1] | .state == "undone")' one.json
spkis >five
r renew --yes --json >again.json 2>/dev/null
true_that "renew asks for that one anew, in the same apply" jq -e '.outcome == "waiting" and .apply == 1' again.json
true_that "with another key" eval '[ "$(openssl req -in "$db1.csr" -noout -pubkey)" != "$first_key" ]'
true_that "the others are what they were" eval 'spkis >six && [ "$(grep -cxFf five six)" -ge 20 ]'
refused "the answer to the forgotten one fits no more" 'is for no key that a certificate is waited for' r issuer deliver old.crt

# ---- state that is lost ----

cp -r "$lab/requests" requests.before
spkis >before.keys
rm -rf "$lab/reseal/journal.sqlite"*
r renew --yes >renew.out 2>&1
spkis >after.keys
true_that "without its journal it waits for the same keys and requests" \
    eval 'grep -q "^waiting for 6" renew.out && cmp before.keys after.keys && diff -r requests.before "$lab/requests"'
for node in db1 db2 db3; do pg $node restart; done
true_that "after a restart of every server every connection works" every_app
signs "$db1" "$db1.crt"
rm -rf "$lab/reseal/db1/node/pending"
r renew --yes >renew.out 2>&1
true_that "a node that has lost its key makes another, which is asked for" eval \
    'grep -q "^waiting for 6" renew.out && ! cmp -s "$db1.csr" "requests.before/$one.csr"'
refused "what came for the lost key is refused" "$one.crt: .* is for another key" r renew --yes
signs "$db1" "$db1.crt"
for each in $(requests); do [ -e "$each.crt" ] || signs "$each" "$each.crt"; done
ran r renew --yes
true_that "with the right one it goes on" says '^done in'
true_that "with the right one: check finds nothing" r check

# ---- what came is what the proof is about ----

asking 6
for each in $(requests); do signs "$each" "$each.crt" -md sha1; done
refused "what a client would refuse is not put to use" 'it would break connections that work: nothing was changed' r renew --yes
for each in $(requests); do signs "$each" "$each.crt"; done
rm -r "$lab/company.pem"
cp authority/root.pem "$lab/company.pem"
r rollback --yes >back.out
r renew --yes >renew.out 2>&1
true_that "an authority whose intermediate is not known yet is asked" grep -q '^waiting for 6' renew.out
for each in $(requests); do signs "$each" "$each.crt"; done
refused "without its intermediate it is not taken" \
    'is signed by CN=Company Issuing CA, which is not CN=Company Root: put that certificate into the file' r renew --yes
rm "$lab"/requests/*.crt
for each in $(requests); do signs "$each" "${each##*/}.cer"; done
r issuer deliver authority/sub.pem ./*.cer >deliver.out
rm ./*.cer
ran r renew --yes
true_that "with it, it is sent along and works" says '^done in'
true_that "with it: check finds nothing" r check
run r renew --yes --new-issuer
true_that "and is not taken for another issuer's" eval '! says issue'
