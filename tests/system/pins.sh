# Pins, a server with several certificates, a signer and a client that chooses by issuer: `check` of
# a cluster whose server is openssl's.
. "$TESTS/lib.sh"
trap 'kill "$server" 2>/dev/null' EXIT
test_ca ca
test_ca other
test_leaf ca server
test_leaf ca ec
test_leaf ca shop
test_leaf ca sign
test_leaf other client
openssl ecparam -genkey -name prime256v1 -noout -out ec.key
openssl req -new -key ec.key -out ec.csr -subj /CN=ec 2>/dev/null
openssl x509 -req -in ec.csr -CA ca.pem -CAkey ca.key -days 365 -extfile ec.ext -out ec.crt 2>/dev/null
openssl req -new -key shop.key -out shop.csr -subj /CN=shop 2>/dev/null
echo 'subjectAltName = DNS:shop.example' >shop.ext
openssl x509 -req -in shop.csr -CA ca.pem -CAkey ca.key -days 365 -extfile shop.ext -out shop.crt 2>/dev/null
chmod 600 ./*.key

# pin CERTIFICATE: its public key's, as curl and RFC 7469 have it.
pin() {
    openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform der |
        openssl dgst -sha256 -binary | openssl base64 | sed 's|^|sha256//|'
}
cert_pin() { openssl x509 -in "$1" -outform der | openssl sha256 | sed 's/.*= */cert:sha256:/'; }
serve() {
    exec openssl s_server -accept "127.0.0.1:$port" -cert server.crt -key server.key -dcert ec.crt -dkey ec.key \
        -cert2 shop.crt -key2 shop.key -servername shop.example -CAfile ca.pem -verify 1 -www
}
on_free_port serve || echo "not ok s_server starts"

cat >cluster.yaml <<X
cluster: shop
nodes:
  web:
    stores:
      rsa: {certificate: server.crt, key: server.key}
      ec: {certificate: ec.crt, key: ec.key}
      shop: {certificate: shop.crt, key: shop.key}
      sign: {certificate: sign.crt, key: sign.key}
      ca: {certificates: ca.pem}
    services:
      https:
        listen: 127.0.0.1:$port
        identities: [{store: rsa}, {store: ec}, {store: shop, sni: shop.example}]
        trust: [ca]
        client_auth: optional
      sts: {identities: [{store: sign}]}
  app:
    stores:
      ca: {certificates: ca.pem}
      pins: {format: pins, path: pins}
      client: {certificate: client.crt, key: client.key}
    services:
      pinned: {pins: [pins]}
      both: {trust: [ca], pins: [pins]}
      plain: {trust: [ca]}
      go: {trust: [ca], identities: [{store: client}], stack: go}
links:
  - {from: app/pinned, to: web/https}
  - {from: app/both, to: web/https, name: 127.0.0.1, verify: full}
  - {from: app/plain, to: web/https, name: shop.example, verify: full}
  - {from: app/go, to: web/https, name: 127.0.0.1, verify: full}
  - {kind: signer, from: web/sts, to: app/plain}
X
check() { run "$RESEAL" -f cluster.yaml --state state check "$@"; }
verdict() { # FROM CAUSE: the verdict on the link from there, or the signer's with FROM web/sts
    jq -e --arg from "$1" --arg cause "$2" \
        '.links | map(select(.from == $from)) | length == 1 and (.[0].cause // "none") == $cause' check.json
}
json() { "$RESEAL" -f cluster.yaml --state state check --json >check.json 2>&1; }

{ echo '# what the application knows'; pin server.crt; pin ec.crt; } >pins
check
true_that "a cluster whose pins match is ok" grep -qx 'exit 0' out
json
true_that "a link with several certificates is one link" jq -e '.links | length == 5' check.json
for from in app/pinned app/both app/plain app/go web/sts; do
    true_that "$from is accepted" verdict $from none
done

run "$RESEAL" inspect pins --json
true_that "inspect shows pins" grep -q '"kind": "pin"' out

{ pin server.crt; cert_pin ec.crt; pin shop.crt; } >pins
check
true_that "a pin of the certificate is as good" grep -qx 'exit 0' out
json
true_that "a pin that matches nothing is found" jq -e '.findings | map(select(.code == "pin_stale")) | length == 1' check.json

{ pin server.crt; pin shop.crt; } >pins
json
true_that "one certificate of several that has no pin breaks the link" verdict app/pinned pin_mismatch
true_that "beside anchors too" verdict app/both pin_mismatch
true_that "and no other link" verdict app/plain none
pin shop.crt >pins
json
true_that "so does a pin of another certificate" verdict app/pinned pin_mismatch
true_that "which the wire bears out" jq -e '.links[0].basis == "wire"' check.json

{ pin server.crt; pin ec.crt; } >pins
sed -i 's/client_auth: optional/client_auth: required/' cluster.yaml
json
true_that "who chooses by issuer has nothing that this server accepts" verdict app/go client_ca_not_accepted

openssl x509 -req -in sign.csr -CA ca.pem -CAkey ca.key -days -1 -out sign.crt 2>/dev/null
json
true_that "a signer whose certificate has ended is refused" verdict web/sts signing_cert_expired
true_that "and the text says by whom" grep -q 'app/plain refuses web/sts: signing certificate expired' check.json

echo 'pins: {web/https: [{spki: "sha256:00"}]}' >>cluster.yaml
check
true_that "a pin in the cluster file is a digest" grep -q "a pin is sha256: and 64 digits of hex, not 'sha256:00'" out
true_that "and what is none is refused with its line" grep -q 'cluster.yaml:[0-9]*' out
