# `check HOST:PORT` against OpenLDAP's own server: StartTLS, and what it makes of our certificate.
. "$TESTS/lib.sh"
trap 'kill "$server" 2>/dev/null' EXIT
test_ca ca
test_leaf ca server
test_leaf ca client

# directory SETTING...: slapd with these lines in its configuration and nothing in its directory.
directory() {
    printf '%s\n' "include /etc/ldap/schema/core.schema" "pidfile $PWD/slapd.pid" "$@" >slapd.conf
    on_free_port slapd_here || echo "not ok slapd starts"
}
slapd_here() { exec /usr/sbin/slapd -h "ldap://127.0.0.1:$port" -f slapd.conf -d 0; }
end() { kill "$server"; wait "$server" 2>/dev/null; }
check() { run "$RESEAL" check "127.0.0.1:$port" -p ldap --ca ca.pem "$@"; }
tls="TLSCACertificateFile $PWD/ca.pem
TLSCertificateFile $PWD/server.crt
TLSCertificateKeyFile $PWD/server.key"

directory "$tls"
check --json
true_that "a directory with TLS is ok" grep -q '"outcome": "accepted"' out
true_that "because it answers" grep -qF 'LDAP answers over this connection' out
true_that "and presents what openssl sees" presents ldap
run "$RESEAL" check "127.0.0.1:$port" -p ldap --ca client.crt
true_that "the wrong anchor does not accept it" grep -q issuer_unknown out
end

directory "$tls" "TLSVerifyClient demand"
check
true_that "a directory that demands a certificate does not accept nobody" grep -qx 'exit 2' out
true_that "and the reason is told from what it asked for" grep -q 'asked for a client certificate and got none' out
check --cert client.crt --key client.key
true_that "it accepts who has one" grep -qx 'exit 0' out
end

directory
check
sed -i "s/127.0.0.1:$port/HOST:PORT/" out
same "a directory without TLS says so" out <<'X'
HOST:PORT: broken: TLS on a plain text port (tls_on_plaintext_port)
  LDAP: "unsupported extended operation" (protocolError, 2)

what to do: switch TLS on at the server
exit 2
X
end
