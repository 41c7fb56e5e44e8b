# A company's CA signs by ticket: renew asks it, waits, and goes on when what was asked for is here.
# Covers awaited.c, issue.c, forget.c, csr.c, delivered.c, planning.c and requests.c.
. "$TESTS/cluster.sh"
. "$TESTS/authority.sh"

# What differs from run to run.
blur() {
    sed -i -E "s|$lab|LAB|g; s/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/TIME/g; s/until [0-9-]{10}/until DATE/g
        s/-[0-9a-f]{8}\.(csr|crt|json|cer)/-STEP.\1/g; s/sha256:[0-9a-f]{8,64}/sha256:HASH/g
        s/-[0-9a-f]{8}( *$| +CN=|\"|: )/-STEP\1/g; s/\"[0-9a-f]{16}\"/\"STEP\"/; s/\"[0-9a-f]{64}\"/\"HASH\"/
        s/(ends|breaks) in [0-9]+ days/\1 in DAYS/; s/done in [0-9.]+ seconds/done in SECONDS/" "${1:-out}"
}
ran() { # what was carried out, without the plan that was shown before
    run "$@"
    sed -i '1,/^proof:/d' out
    blur
}

on expiring
authority
asks_authority
remember
run r plan
true_that "the plan has the trust of the new root before any switch, and its proof holds" \
    says '^proof: no working link breaks'
sed -n '/^what changes/,/^$/p' out >changes
sed -n 1,4p changes >out
blur
same "how long the authority will make it valid is not known yet" out <<'X'
what changes in the certificates:
  db1/server  CN=db1.lab.example
    public_key: sha256:HASH -> new
    issuer: CN=Reseal Lab Root -> CN=Company Issuing CA
X
true_that "but that it has to be long enough is said" grep -qx '    lifetime: 90 days -> as the authority says, at least 30 days' changes

ran r renew --yes
same "what can be done is done, the rest is waited for, with exit 0" out <<'X'

  1/42  ok      snapshot  save db1/clients
  2/42  ok      snapshot  save db2/clients
  3/42  ok      snapshot  save db3/clients
  4/42  ok      snapshot  save app/trust
  5/42  ok      snapshot  save db1/server and what refers to it
  6/42  ok      snapshot  save db2/server and what refers to it
  7/42  ok      snapshot  save db3/server and what refers to it
  8/42  ok      snapshot  save app/client and what refers to it
  9/42  ok      snapshot  save db2/upstream and what refers to it
 10/42  ok      snapshot  save db3/upstream and what refers to it
 11/42  waiting issue     make a new key and get a certificate for db1/server
         LAB/requests/db1-server-STEP.crt, the answer to the .csr beside it
 12/42  waiting issue     make a new key and get a certificate for db2/server
         LAB/requests/db2-server-STEP.crt, the answer to the .csr beside it
 13/42  waiting issue     make a new key and get a certificate for db3/server
         LAB/requests/db3-server-STEP.crt, the answer to the .csr beside it
 14/42  waiting issue     make a new key and get a certificate for app/client
         LAB/requests/app-client-STEP.crt, the answer to the .csr beside it
 15/42  waiting issue     make a new key and get a certificate for db2/upstream
         LAB/requests/db2-upstream-STEP.crt, the answer to the .csr beside it
 16/42  waiting issue     make a new key and get a certificate for db3/upstream
         LAB/requests/db3-upstream-STEP.crt, the answer to the .csr beside it
 17/42  ok      trust     add CN=Company Root to db1/clients
 18/42  ok      trust     add CN=Company Root to db2/clients
 19/42  ok      trust     add CN=Company Root to db3/clients
 20/42  ok      trust     add CN=Company Root to app/trust
 21/42  ok      refresh   load the new anchor into db2/postgres
 22/42  ok      refresh   load the new anchor into db3/postgres
 23/42  ok      refresh   load the new anchor into db1/postgres

waiting for 6 steps: what was done stays, and is in the journal as apply 1
  to deliver:  reseal -f LAB/cluster.yaml --state LAB/reseal issuer deliver FILE...
  to go on:    reseal -f LAB/cluster.yaml --state LAB/reseal renew --yes
  to go back:  reseal -f LAB/cluster.yaml --state LAB/reseal rollback
exit 0
X
nothing_swapped() {
    for node in db1 db2 db3; do
        [ "$(served $node)" = "$(serial "old/$node/tls/server.crt")" ] || return 1
    done
    [ "$(app_file)" = "$lab/app/tls/client.crt" ] && every_app
}
true_that "nothing is swapped" nothing_swapped
for name in $(requests); do
    true_that "openssl reads the request ${name##*/} and its key signed it" openssl req -in "$name.csr" -noout -verify
done
openssl req -in "$(request db1 server).csr" -noout -text | sed -n '/Requested Ext/,/Signature Alg/p' | sed '$d' >out
same "it asks for names and usages" out <<'X'
            Requested Extensions:
                X509v3 Subject Alternative Name: 
                    DNS:db1.lab.example
                X509v3 Key Usage: critical
                    Digital Signature
                X509v3 Extended Key Usage: 
                    TLS Web Server Authentication
X
keys() { find "$lab/reseal" -path '*/pending/*.key'; }
true_that "each key waits at its node, for its owner alone" \
    eval '[ "$(keys | wc -l)" -eq 6 ] && [ "$(stat -c %a $(keys) | sort -u)" = 600 ]'

# ---- looked at while it waits ----

run r history
blur
same "history says what is waited for and since when" out <<'X'
   1  TIME  apply     waiting        lab
      TIME  since then it waits for: LAB/requests/db1-server-STEP.crt, the answer to the .csr beside it
      TIME  since then it waits for: LAB/requests/db2-server-STEP.crt, the answer to the .csr beside it
      TIME  since then it waits for: LAB/requests/db3-server-STEP.crt, the answer to the .csr beside it
      TIME  since then it waits for: LAB/requests/app-client-STEP.crt, the answer to the .csr beside it
      TIME  since then it waits for: LAB/requests/db2-upstream-STEP.crt, the answer to the .csr beside it
      TIME  since then it waits for: LAB/requests/db3-upstream-STEP.crt, the answer to the .csr beside it
exit 0
X
r history --json >history.json
true_that "so does --json" jq -e '.applies[0] | .outcome == "waiting" and (.waiting | length) == 6 and .waiting[0].since >= .started and (.waiting[0].evidence | test("/db1-server-[0-9a-f]{8}.crt"))' history.json
run r check
sed -i '1,/^findings:/d' out
blur
same "check says so too" out <<'X'
  warning   db1/server: CN=db1.lab.example (sha256:HASH, until DATE) ends in DAYS
  warning   db2/server: CN=db2.lab.example (sha256:HASH, until DATE) ends in DAYS
  warning   db2/upstream: CN=postgres (sha256:HASH, until DATE) ends in DAYS
  warning   db3/server: CN=db3.lab.example (sha256:HASH, until DATE) ends in DAYS
  warning   db3/upstream: CN=postgres (sha256:HASH, until DATE) ends in DAYS
  warning   app/client: CN=app (sha256:HASH, until DATE) ends in DAYS
  info      db1/server: waits since TIME for LAB/requests/db1-server-STEP.crt, the answer to the .csr beside it
  info      db2/server: waits since TIME for LAB/requests/db2-server-STEP.crt, the answer to the .csr beside it
  info      db3/server: waits since TIME for LAB/requests/db3-server-STEP.crt, the answer to the .csr beside it
  info      app/client: waits since TIME for LAB/requests/app-client-STEP.crt, the answer to the .csr beside it
  info      db2/upstream: waits since TIME for LAB/requests/db2-upstream-STEP.crt, the answer to the .csr beside it
  info      db3/upstream: waits since TIME for LAB/requests/db3-upstream-STEP.crt, the answer to the .csr beside it

next: reseal -f LAB/cluster.yaml --state LAB/reseal issuer list
exit 1
X
run r issuer list
blur
same "issuer list has every request" out <<'X'
SINCE                 STATE    REQUEST                           SUBJECT
TIME  waiting  app-client-STEP               CN=app
TIME  waiting  db1-server-STEP               CN=db1.lab.example
TIME  waiting  db2-server-STEP               CN=db2.lab.example
TIME  waiting  db2-upstream-STEP             CN=postgres
TIME  waiting  db3-server-STEP               CN=db3.lab.example
TIME  waiting  db3-upstream-STEP             CN=postgres

in LAB/requests
next: reseal -f LAB/cluster.yaml --state LAB/reseal issuer deliver FILE...
exit 0
X
run r issuer list --json
sed '$d' out | jq '.requests |= .[0:1]' >one
blur one
same "issuer list as JSON" one <<'X'
{
  "directory": "LAB/requests",
  "requests": [
    {
      "name": "app-client-STEP",
      "node": "app",
      "store": "client",
      "step": "STEP",
      "since": "TIME",
      "subject": "CN=app",
      "san": [],
      "spki_sha256": "HASH",
      "request": "LAB/requests/app-client-STEP.csr",
      "certificate": "LAB/requests/app-client-STEP.crt",
      "state": "waiting",
      "problem": null
    }
  ]
}
X

# ---- run again: nothing is asked for twice ----

asked() { (cd "$lab" && sha256sum requests/* && keys | sort | xargs sha256sum); }
asked >asked
r renew --yes --json >again.json 2>again.err
true_that "renew again waits again, with exit 0" test $? -eq 0
true_that "as one document" jq -e '.outcome == "waiting" and .resumed and .apply == 1 and .error == null and ([.steps[] | select(.state == "waiting")] | length) == 6' again.json
sed -i "s|$RESEAL|reseal|g" again.err
blur again.err
same "and what to type is beside it" again.err <<'X'

waiting for 6 steps: what was done stays, and is in the journal as apply 1
  to deliver:  reseal -f LAB/cluster.yaml --state LAB/reseal issuer deliver FILE...
  to go on:    reseal -f LAB/cluster.yaml --state LAB/reseal renew --yes
  to go back:  reseal -f LAB/cluster.yaml --state LAB/reseal rollback
X
asked >asked.again
true_that "requests and keys are the same, byte for byte" cmp asked asked.again
r history --json >later.json
true_that "it waits since it first did" eval '[ "$(jq .applies[0].waiting[].since history.json)" = "$(jq .applies[0].waiting[].since later.json)" ]'

# ---- what comes and is not what was asked for ----

db1=$(request db1 server)
wrong() { # wrong NAME WHY: brought there or put there, it is refused, and nothing is touched
    why=$2
    cp answer.crt "$db1.crt"
    refused "$1" "$2" r renew --yes
    run r renew --yes
    grep '^reseal:' out | sed "s|$lab|LAB|g" >refusal
    true_that "$1: the file is named" grep -q "^reseal: LAB/requests/db1-server-[0-9a-f]*.crt" refusal
    run r issuer list
    true_that "$1: issuer list says so, with exit 1" eval 'says "^  $db1.crt:? .*$why" && says "^exit 1$"'
    rm "$db1.crt"
    refused "$1: not brought" "$2" r issuer deliver answer.crt
    true_that "$1: brought nowhere" test ! -e "$db1.crt"
    r history --json >still.json
    true_that "$1: it waits as before" eval '[ "$(jq .applies[0].waiting later.json)" = "$(jq .applies[0].waiting still.json)" ]'
}
names='subjectAltName=DNS:db1.lab.example' server='extendedKeyUsage=serverAuth'
signs "$(request db2 server)" answer.crt
cp answer.crt "$db1.crt"
run r renew --yes
blur
same "a certificate for another key" out <<'X'
reseal: LAB/requests/db1-server-STEP.crt: CN=db2.lab.example (sha256:HASH, until DATE) is for the key of db2/server, whose request is db2-server-STEP
  next: reseal -f LAB/cluster.yaml --state LAB/reseal issuer list
exit 1
X
rm "$db1.crt"
openssl req -new -newkey rsa:2048 -nodes -keyout stranger.key -subj /CN=db1.lab.example -out stranger.csr 2>/dev/null
signs stranger answer.crt
wrong "a key of the authority's own" 'is for (another|no) key'
signs_other "$db1" answer.crt "subjectAltName=DNS:db1.other.example"
wrong "without a name" 'lacks names that were asked for: DNS:db1.lab.example'
signs_other "$db1" answer.crt "$names" -subj /CN=db9
wrong "with another subject" 'has the subject CN=db9, and CN=db1.lab.example was asked for'
signs_other "$db1" answer.crt "$names
extendedKeyUsage=clientAuth"
wrong "for another use" 'lacks an extended key usage that was asked for: serverAuth'
signs_other "$db1" answer.crt "$names
$server
keyUsage=keyAgreement"
wrong "with other key usages" 'lacks a key usage that was asked for: digitalSignature'
signs_other "$db1" answer.crt "$names
basicConstraints=critical,CA:TRUE
keyUsage=digitalSignature,keyCertSign"
wrong "a CA's certificate" 'is a CA.s certificate'
signs "$db1" answer.crt -startdate 20200101000000Z -enddate 20210101000000Z
wrong "expired" 'has expired: 2021-01-01T00:00:00Z'
signs "$db1" answer.crt -startdate 20990101000000Z -enddate 20991231000000Z
wrong "not valid yet" 'is not valid before 2099-01-01T00:00:00Z'
signs "$db1" answer.crt -days 29
wrong "soon due again" 'ends in 2[89] days, and certificates are renewed 30 days before they end: it would be due at once'
test_ca other
openssl x509 -req -in "$db1.csr" -CA other.pem -CAkey other.key -CAcreateserial -days 200 -copy_extensions copyall -out answer.crt 2>/dev/null
wrong "of another authority" 'is signed by CN=other, which is not CN=Company Issuing CA'
openssl x509 -req -in "$db1.csr" -CA authority/root.pem -CAkey authority/root.key -CAcreateserial -days 200 -copy_extensions copyall -out answer.crt 2>/dev/null
wrong "of the root itself" 'is not from CN=Company Issuing CA: its chain ends in CN=Company Root'
echo '<html>Your request is being processed</html>' >answer.crt
wrong "a page instead of a certificate" 'is not a certificate'
cp "$db1.csr" answer.crt
wrong "the request itself" 'is a request, not a certificate'
cp stranger.key answer.crt
wrong "a key" 'holds a key and no certificate'
: >answer.crt
wrong "an empty file" 'is not a certificate'
refused "a file that is not there" 'none.crt: No such file' r issuer deliver none.crt
asked >asked.again
true_that "the requests are still what they were" cmp asked asked.again

# One that is wrong among those that are right: none is taken.
for name in $(requests); do signs "$name" "${name##*/}.cer"; done
signs_other "$db1" bad.cer "subjectAltName=DNS:elsewhere.example"
cp "${db1##*/}.cer" good.cer && mv bad.cer "${db1##*/}.cer"
contents >before
run r issuer deliver ./*.cer
contents >after
blur
same "all or none" out <<'X'
reseal: ./db1-server-STEP.cer: CN=db1.lab.example (sha256:HASH, until DATE) lacks names that were asked for: DNS:db1.lab.example
  next: reseal -f LAB/cluster.yaml --state LAB/reseal issuer list
exit 1
X
true_that "none was taken" cmp before after
mv good.cer "${db1##*/}.cer"

# ---- what is right, some today and some tomorrow ----

app=$(request app client) up2=$(request db2 upstream)
openssl x509 -in "${app##*/}.cer" -outform DER -out app.der
run r issuer deliver app.der "${up2##*/}.cer"
blur
same "certificates are told by their keys, in any format" out <<'X'
app/client: CN=app (sha256:HASH, until DATE)
db2/upstream: CN=postgres (sha256:HASH, until DATE)

4 are still waited for
next: reseal -f LAB/cluster.yaml --state LAB/reseal issuer list
exit 0
X
run r history
true_that "history: what came is not waited for" \
    eval 'says "this is here: .*/app-client-" && [ "$(grep -c "since then it waits for:" out)" = 4 ]'
true_that "and --json has the rest" eval 'r history --json | jq -e ".applies[0] | .outcome == \"waiting\" and (.waiting | length) == 4"'
run r check
true_that "nor by check" eval 'says "app/client: what it waits for since .* is here: " && [ "$(grep -c ": waits since" out)" = 4 ]'
true_that "which says what is still to be done" says '^next: .* issuer list$'
openssl crl2pkcs7 -nocrl -certfile "$app.crt" | openssl pkcs7 -print_certs -noout | grep subject >out
same "their chain is put behind them" out <<'X'
subject=CN = app
subject=CN = Company Issuing CA
X
ran r renew --yes
grep -E ' issue  |install|^waiting|exit' out >some
same "what came is taken to its node; the rest is waited for" some <<'X'
  7/31  waiting issue     make a new key and get a certificate for db1/server
  8/31  waiting issue     make a new key and get a certificate for db2/server
  9/31  waiting issue     make a new key and get a certificate for db3/server
 10/31  ok      issue     make a new key and get a certificate for app/client
 11/31  ok      issue     make a new key and get a certificate for db2/upstream
 12/31  waiting issue     make a new key and get a certificate for db3/upstream
waiting for 4 steps: what was done stays, and is in the journal as apply 1
exit 0
X
true_that "nothing is swapped before all are here" nothing_swapped
run r issuer list
grep -c ' here ' out >here
true_that "issuer list says what is here" grep -qx 2 here

# A chain upside down, roots and all, and the same file for two.
db2=$(request db2 server) db3=$(request db3 server) up3=$(request db3 upstream)
cat authority/root.pem authority/sub.pem "${db2##*/}.cer" >"$db2.crt"
cat authority/chain.pem "${db3##*/}.cer" "${up3##*/}.cer" >both.pem
run r issuer deliver both.pem "${db1##*/}.cer"
blur
same "one file may hold several, in any order" out <<'X'
db1/server: CN=db1.lab.example (sha256:HASH, until DATE)
db3/server: CN=db3.lab.example (sha256:HASH, until DATE)
db3/upstream: CN=postgres (sha256:HASH, until DATE)

all are here
next: reseal -f LAB/cluster.yaml --state LAB/reseal renew
exit 0
X
run r check
true_that "check waits for none of them, and goes on" eval 'not says ": waits since" && says "^next: .* renew$"'
ran r renew --yes
sed -n '/install/,$p' out >rest
same "when all are here it goes on to its end" rest <<'X'
 13/31  ok      install   write the new db2/server beside the old
 14/31  ok      install   write the new db2/upstream beside the old
 15/31  ok      switch    switch db2/server to the new files
 16/31  ok      switch    switch db2/upstream to the new files
 17/31  ok      refresh   load the stored certificate into db2/postgres
 18/31  ok      install   write the new db3/server beside the old
 19/31  ok      install   write the new db3/upstream beside the old
 20/31  ok      switch    switch db3/server to the new files
 21/31  ok      switch    switch db3/upstream to the new files
 22/31  ok      refresh   load the stored certificate into db3/postgres
 23/31  ok      install   write the new app/client beside the old
 24/31  ok      switch    switch app/client to the new files
 25/31  ok      install   write the new db1/server beside the old
 26/31  ok      switch    switch db1/server to the new files
 27/31  ok      refresh   load the stored certificate into db1/postgres
 28/31  ok      verify    connect as every peer of db2/postgres
         2 connections accepted on the wire
 29/31  ok      verify    connect as every peer of db3/postgres
         2 connections accepted on the wire
 30/31  ok      verify    connect as every peer of app/app
         3 connections accepted on the wire
 31/31  ok      verify    connect as every peer of db1/postgres
         3 connections accepted on the wire

done in SECONDS: apply 1, seen on the wire
exit 0
X
renewed_everywhere "the end"
true_that "what is served is what the authority signed, with its chain in order" \
    eval 'openssl s_client -starttls postgres -connect "127.0.0.1:$(port_of db2)" -CAfile authority/root.pem -verify_return_error </dev/null >/dev/null 2>&1'
true_that "no key waits any more" eval '[ -z "$(keys)" ]'
run r issuer list
blur
same "nothing is waited for" out <<'X'
nothing is waited for in LAB/requests
exit 0
X
true_that "requests and answers are put away" eval '[ "$(ls "$lab"/requests/old/*.crt | wc -l)" -eq 6 ]'
r history --json >history.json
true_that "it was one apply, and it is done" jq -e '[.applies[].outcome] == ["done"]' history.json
run r issuer deliver app.der
true_that "what nobody waits for is refused" says '^reseal: app.der: CN=app .* is for no key that a certificate is waited for'
