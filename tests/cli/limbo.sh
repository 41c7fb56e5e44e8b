# The judge beside X509_verify_cert on cases of path validation in x509-limbo's form (docs/limbo.md).
. "$TESTS/lib.sh"
limbo=${RESEAL%/*}/limbo

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=Root' \
    -keyout ca.key -out ca.pem 2>/dev/null
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 -subj '/CN=db1' \
    -addext 'subjectAltName=DNS:db1' -addext 'basicConstraints=critical,CA:false' \
    -CA ca.pem -CAkey ca.key -keyout db1.key -out db1.pem 2>/dev/null

# case_of ID EXPECTED NAME TIME: the leaf of db1 under the root, dialled by that name.
case_of() {
    jq -n --arg id "$1" --arg expected "$2" --arg name "$3" --argjson time "$4" \
        --rawfile leaf db1.pem --rawfile root ca.pem '{id: $id, validation_kind: "SERVER",
        trusted_certs: [$root], untrusted_intermediates: [], peer_certificate: $leaf,
        validation_time: $time, expected_result: $expected, crls: [],
        expected_peer_name: {kind: "DNS", value: $name}}'
}
{ case_of fits SUCCESS db1 null && case_of other-name FAILURE db2 null &&
    case_of strict FAILURE DB1 null && case_of late FAILURE db1 '"2100-01-01T00:00:00+00:00"'; } |
    jq -s '{version: 1, testcases: .}' >cases.json

run "$limbo" cases.json
same "accepted and refused alike" out <<'T'
4 equal, 0 different; OpenSSL differs from what is expected in 1
exit 0
T
run "$limbo" --expected cases.json
same "where OpenSSL differs from what is expected is a row" out <<'T'
| `strict` | refuse | accepts |
4 equal, 0 different; OpenSSL differs from what is expected in 1
exit 0
T
run "$limbo" --vary cases.json
same "every variation is judged as OpenSSL judges it" out <<'T'
640 equal, 0 different
exit 0
T
echo '{' >cases.json
run "$limbo" cases.json
true_that "what is no JSON is refused" grep -qx 'exit 2' out
