# slapd, and HAProxy with copies of its stores: both follow a renewal, a change of root and the way
# back, and what lags behind is made again.
. "$TESTS/lib.sh"
lab=$PWD/lab
trap '"$RESEAL" lab down --dir "$lab" >/dev/null 2>&1' EXIT
trap 'exit 1' HUP INT TERM

r() { "$RESEAL" -f "$lab/cluster.yaml" --state "$lab/reseal" "$@"; }
# The pair that slapd.conf names, and what is in the copy.
named() { sed -n "s/^$1 \"\(.*\)\"/\1/p" "$lab/ldap/slapd.conf"; }
of_cert() { openssl x509 -noout -fingerprint -in "$1"; }
of_key() { openssl pkey -pubout -in "$1"; }
same_pair() {
    [ "$(of_cert "$(named TLSCertificateFile)")" = "$(of_cert "$lab/gate/tls/all.pem")" ] &&
        [ "$(of_key "$(named TLSCertificateKeyFile)")" = "$(of_key "$lab/gate/tls/all.pem")" ]
}
anchors() {
    for file in ldap gate app; do
        openssl crl2pkcs7 -nocrl -certfile "$lab/$file/tls/ca.crt" |
            openssl pkcs7 -print_certs -noout | sed -n "s/^subject=/$file /p"
    done
}
port_of() { "$RESEAL" lab status --json --dir "$lab" | jq ".nodes[] | select(.name == \"$1\").port"; }
# Both servers, asked by others than reseal, with the client's certificate.
ldap_answers() {
    LDAPTLS_CACERT=$lab/app/tls/ca.crt LDAPTLS_CERT=$lab/app/tls/client.crt \
        LDAPTLS_KEY=$lab/app/tls/client.key LDAPTLS_REQCERT=allow \
        ldapwhoami -ZZ -x -H "ldap://127.0.0.1:$(port_of ldap)" 2>&1 | grep -qx anonymous
}
gate_answers() {
    port=$(port_of gate)
    curl -sS --resolve "host.lab.example:$port:127.0.0.1" --cacert "$lab/app/tls/ca.crt" \
        --cert "$lab/app/tls/client.crt" --key "$lab/app/tls/client.key" \
        "https://host.lab.example:$port/" | grep -q gate
}

"$RESEAL" lab up generic --dir "$lab" --state expiring >up.out 2>&1 || cat up.out
of_key "$(named TLSCertificateKeyFile)" >key.before
run r plan
sed -i "s|$PWD|DIR|g; s/[0-9]* states judged/N states judged/; s/[0-9]* judged states/N judged states/; s/ [0-9a-f]\{8\}\([ ,]\|$\)/ ID\1/g; /^ *verify /d; /public_key:/d" out
same "a copy is made right after its source, and before anything is loaded" out <<'S'
lab: 14 steps in 9 waves

now
      presents  Reseal Lab Root  host/ldap ID, host/gate ID, app/app ID
      trusts    Reseal Lab Root  host/ldap, host/gate, app/app
t0  3 steps, N states judged
    snapshot  save host/server and what refers to it
    snapshot  save app/client and what refers to it
    snapshot  save host/all and what refers to it
t1  2 steps
    issue     make a new key and get a certificate for host/server
    issue     make a request with the same key, as two files cannot be replaced at once, and get a certificate for app/client
t2  1 step
    install   write the new host/server beside the old
t3  1 step, N states judged
    install   make host/all again from the new pair that it is a copy of
    then
      presents  Reseal Lab Root  host/gate ID (new stored), and 2 as before
t4  1 step, N states judged
    switch    switch host/server to the new files
    then
      presents  Reseal Lab Root  host/ldap ID (new stored), and 2 as before
t5  1 step, N states judged
    refresh   restart host/ldap to load the stored certificate
              not there meanwhile: app/app->host/ldap
    then
      presents  Reseal Lab Root  host/ldap new, and 2 as before
t6  1 step, N states judged
    refresh   load the stored certificate into host/gate
    then
      presents  Reseal Lab Root  host/gate new, and 2 as before
t7  1 step, N states judged
    install   write the new app/client over the old
    then
      presents  Reseal Lab Root  app/app new, and 2 as before
t8  3 steps

what changes in the certificates:
  host/server  CN=host.lab.example
  app/client  CN=app

proof: no working link breaks in N judged states, besides the moments of 1 restart; 0 links do not work at the end

next: reseal -f DIR/lab/cluster.yaml --state DIR/lab/reseal renew
exit 10
S
run r renew --yes
true_that "both are renewed" grep -q 'seen on the wire$' out
true_that "with one pair" same_pair
of_key "$(named TLSCertificateKeyFile)" >key.after
true_that "whose key is new" eval '[ -s key.after ] && ! cmp -s key.before key.after'
true_that "slapd answers who has a certificate" ldap_answers
true_that "and so does HAProxy" gate_answers

cp "$lab/cluster.yaml" before.yaml
"$RESEAL" issuer create --certificate "$lab/ca/new.pem" --key "$lab/ca/new.key" --name 'New Root' \
    --passphrase-file "$lab/ca/pass" >/dev/null
sed -i 's#^issuer: .*#issuer: {kind: local, certificate: ca/new.pem, key: ca/new.key, passphrase: {file: ca/pass}}#' "$lab/cluster.yaml"
run r renew --new-issuer --yes
true_that "their root is replaced" grep -q 'seen on the wire$' out
anchors >held
same "in all stores, copies or not" held <<'S'
ldap CN = New Root
gate CN = New Root
app CN = New Root
S
true_that "with one pair again" same_pair
true_that "slapd answers under the new root" ldap_answers
true_that "and so does HAProxy" gate_answers
run r rollback --yes
true_that "that is rolled back" grep -qx 'exit 0' out
anchors >held
same "in all stores again" held <<'S'
ldap CN = Reseal Lab Root
gate CN = Reseal Lab Root
app CN = Reseal Lab Root
S
true_that "and both pairs are the earlier one" eval 'same_pair && of_key "$lab/gate/tls/all.pem" | cmp -s - key.after'
cp before.yaml "$lab/cluster.yaml"

# Somebody renewed slapd by hand and forgot the copy.
openssl x509 -x509toreq -in "$(named TLSCertificateFile)" -signkey "$(named TLSCertificateKeyFile)" -out hand.csr 2>/dev/null
echo 'subjectAltName = DNS:host.lab.example' >hand.ext
openssl x509 -req -in hand.csr -CA "$lab/ca/ca.pem" -CAkey "$lab/ca/ca.key" -passin "file:$lab/ca/pass" \
    -days 80 -extfile hand.ext -out hand.crt 2>/dev/null
cat hand.crt >"$(named TLSCertificateFile)"
true_that "a copy that lags behind is found" eval 'r check --json | jq -e ".findings | any(.code == \"derived_store_stale\")"'
run r renew --yes
true_that "and made again" eval 'grep -qx "exit 0" out && same_pair'
