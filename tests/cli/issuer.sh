# reseal issuer: a CA is made once, openssl can use it, and its ledger is shown.
. "$TESTS/lib.sh"

# Dates and digits that differ from run to run.
blur() {
    sed -i -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/TIME/g; s/[0-9a-f]{64}/SHA256/; s/in [0-9]+ years/in YEARS/; s/"[0-9a-f]{32}"/"SERIAL"/' out
}

printf 'open sesame\n' >pass
run "$RESEAL" issuer create --name 'Orders root' --organisation Orders --passphrase-file pass
same "a CA is made and the cluster file's line is shown" out <<'X'
made ca/ca.pem and its encrypted key ca/ca.key
in the cluster file:
  issuer: {kind: local, certificate: ca/ca.pem, key: ca/ca.key, passphrase: {file: FILE}}
exit 0
X
stat -c '%a %n' ca/ca.pem ca/ca.key >out
same "only the owner reads the key" out <<'X'
644 ca/ca.pem
600 ca/ca.key
X
true_that "openssl opens the key with the passphrase" openssl pkey -in ca/ca.key -passin pass:'open sesame' -noout
true_that "and with no other" sh -c '! openssl pkey -in ca/ca.key -passin pass:other -noout'
openssl pkey -in ca/ca.key -passin pass:'open sesame' -pubout >key.pub
openssl x509 -in ca/ca.pem -noout -pubkey >certificate.pub
true_that "the key is the certificate's" cmp key.pub certificate.pub
true_that "openssl takes the root for a CA" openssl verify -x509_strict -CAfile ca/ca.pem ca/ca.pem
openssl x509 -in ca/ca.pem -noout -ext basicConstraints,keyUsage >out
same "its extensions are a root's" out <<'X'
X509v3 Basic Constraints: critical
    CA:TRUE
X509v3 Key Usage: critical
    Certificate Sign, CRL Sign
X

cp ca/ca.key before
run "$RESEAL" issuer create --passphrase-file pass
same "nothing is written over" out <<'X'
reseal: ca/ca.pem is there already and is not written over
  next: reseal inspect ca/ca.pem ca/ca.key
exit 1
X
true_that "the key is as it was" cmp before ca/ca.key
run "$RESEAL" issuer create --key ca/ca.key --certificate other.pem --passphrase-file pass
true_that "a key alone is not written over either" cmp before ca/ca.key
true_that "and no certificate is left beside it" test ! -e other.pem

run "$RESEAL" issuer create --certificate b.pem --key b.key
same "without a terminal the passphrase must come from somewhere" out <<'X'
reseal: no passphrase was given, and there is no terminal to ask on
  next: reseal issuer create --passphrase-file FILE
exit 1
X

run "$RESEAL" issuer show
blur
same "show says what the CA is" out <<'X'
subject  CN=Orders root,O=Orders
key      EC 256
valid    TIME to TIME (ends in YEARS)
sha256   SHA256
issued   0, of which 0 are still valid
exit 0
X
run "$RESEAL" issuer list
same "a new CA has issued nothing" out <<'X'
ca/ca.pem has issued nothing yet
exit 0
X

printf '%s\n' '{"time":"2026-01-02T03:04:05Z","step":"0011223344556677","serial":"8f0000000000000000000000000000aa","subject":"CN=db1","san":["DNS:db1"],"sha256":"aa","spki_sha256":"bb","not_before":"2026-01-02T02:59:05Z","not_after":"2026-04-02T03:04:05Z","certificate":"MAA="}' >ca/ledger.jsonl
printf '{"time":"2026-01-02T03' >>ca/ledger.jsonl
run "$RESEAL" issuer list
same "the ledger is listed, a line cut short is reported" out <<'X'
ISSUED                UNTIL                 SERIAL                            SUBJECT
2026-01-02T03:04:05Z  2026-04-02T03:04:05Z  8f0000000000000000000000000000aa  CN=db1
warning: ca/ledger.jsonl:2: a line was cut short; what it was for never left
exit 1
X
run "$RESEAL" issuer list --json
same "the ledger as JSON" out <<'X'
{
  "issued": [
    {
      "time": "2026-01-02T03:04:05Z",
      "step": "0011223344556677",
      "serial": "8f0000000000000000000000000000aa",
      "subject": "CN=db1",
      "san": [
        "DNS:db1"
      ],
      "not_before": "2026-01-02T02:59:05Z",
      "not_after": "2026-04-02T03:04:05Z",
      "sha256": "aa",
      "spki_sha256": "bb"
    }
  ],
  "damaged_lines": 1
}
exit 1
X
run "$RESEAL" issuer show --json
blur
same "the CA as JSON" out <<'X'
{
  "issuer": {
    "certificate": "ca/ca.pem",
    "subject": "CN=Orders root,O=Orders",
    "serial": "SERIAL",
    "not_before": "TIME",
    "not_after": "TIME",
    "key": {
      "type": "EC",
      "bits": 256
    },
    "sha256": "SHA256"
  },
  "ledger": {
    "path": "ca/ledger.jsonl",
    "issued": 1,
    "valid": 0,
    "damaged_lines": 1
  }
}
exit 1
X
run "$RESEAL" issuer show --certificate nothing.pem
same "a CA that is not there can be made" out <<'X'
reseal: issuer: nothing.pem: No such file or directory
  next: reseal issuer create --certificate nothing.pem --key ca/ca.key
exit 1
X
