# `check HOST:PORT` against a real TLS server: what it says, and its exit codes.
. "$TESTS/lib.sh"

# leaf NAME DAYS: a certificate of the CA for localhost that ends in DAYS days, now or in the past.
quiet() { "$@" >/dev/null 2>&1; }
quiet openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 3650 -subj '/CN=Test CA'
: >index.txt
leaf() {
    quiet openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$1.example"
    cat >"$1.cnf" <<X
[ca]
default_ca = us
[us]
database = index.txt
new_certs_dir = .
rand_serial = yes
default_md = sha256
policy = any
x509_extensions = ext
unique_subject = no
[any]
commonName = supplied
[ext]
subjectAltName = DNS:$1.example
extendedKeyUsage = serverAuth, clientAuth
X
    quiet openssl ca -batch -config "$1.cnf" -cert ca.pem -keyfile ca.key -in "$1.csr" \
        -out "$1.crt" -notext -startdate "$2" -enddate "$3"
}
leaf good 20260101000000Z 20991231235959Z
leaf old 20200101000000Z 20200201000000Z

s_server() { exec openssl s_server -accept "127.0.0.1:$port" -quiet "$@"; }
serve() { on_free_port s_server "$@"; }
trap 'kill "$server" 2>/dev/null' EXIT

# seen COMMAND...: as run, with what differs from run to run taken out.
seen() {
    run "$@"
    sed -i -E "s/127\.0\.0\.1:$port/HOST:PORT/g; s/sha256:[0-9a-f]+/sha256:X/g; s/\((in|[0-9]+) [^)]*(ago|years|days)\)/(WHEN)/; s/[0-9]+ years ago/WHEN/" out
    sed -i -E '/Test CA$/{n;n;s/until [^ ]*/until X/}' out
}

serve -cert good.crt -key good.key
seen "$RESEAL" check "127.0.0.1:$port" --ca ca.pem --name good.example
same "a good server is ok" out <<'X'
HOST:PORT: ok, TLSv1.3
  the server accepts the connection

presented, leaf first:
  0  CN=good.example
     issued by CN=Test CA
     until 2099-12-31T23:59:59Z (WHEN), sha256:X
     names DNS:good.example
exit 0
X
seen "$RESEAL" check "127.0.0.1:$port" --ca ca.pem --name other.example
true_that "a wrong name is its cause" grep -q 'hostname_mismatch' out
true_that "a wrong name is critical" grep -qx 'exit 2' out
"$RESEAL" check "127.0.0.1:$port" --ca ca.pem --name good.example --json >out.json
true_that "the JSON says ok, on the wire" jq -e '.status == "ok" and .links[0].verdict == "ok" and .links[0].basis == "wire" and .links[0].breaks_at == "2100-01-01T00:00:00Z" and .findings == []' out.json
kill "$server"; wait "$server" 2>/dev/null

serve -cert old.crt -key old.key
seen "$RESEAL" check "127.0.0.1:$port" --ca ca.pem --name old.example
same "an expired server is critical, with its cause and what to do" out <<'X'
HOST:PORT: broken: certificate expired (leaf_expired)
  CN=old.example (sha256:X, until 2020-02-01): certificate has expired (at depth 0)

presented, leaf first:
  0  CN=old.example
     issued by CN=Test CA
     until 2020-02-01T00:00:00Z (WHEN), sha256:X
     names DNS:old.example

findings:
  critical: CN=old.example (sha256:X, until 2020-02-01) expired WHEN

what to do: renew the certificate, then reload the service that presents it
exit 2
X
kill "$server"; wait "$server" 2>/dev/null

serve -cert good.crt -key good.key -CAfile ca.pem -Verify 1 -verify_return_error
seen "$RESEAL" check "127.0.0.1:$port" --ca ca.pem --name good.example
true_that "a client certificate that is not given is asked for" grep -q '^next: .* --cert FILE --key FILE' out
true_that "and is only a warning" grep -qx 'exit 1' out
kill "$server"; wait "$server" 2>/dev/null

seen "$RESEAL" check "127.0.0.1:$port" --ca ca.pem
same "a server that is not there could not be judged" out <<'X'
HOST:PORT: unknown
  HOST:PORT: Connection refused
exit 3
X
run "$RESEAL" check nowhere
same "what is no endpoint is wrong usage, which never pages anybody" out <<'X'
reseal: nowhere is not HOST:PORT
  next: reseal check --help
exit 3
X
run "$RESEAL" check 127.0.0.1:443 --ca missing.pem
same "a trust file that is not there is named" out <<'X'
reseal: missing.pem: No such file or directory
exit 3
X
