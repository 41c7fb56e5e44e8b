# docs/cluster.schema.json against a validator that is not ours: what reseal reads is valid, and
# what it refuses is not. Covers schema_json.c.
. "$TESTS/lib.sh"
cat >validate.py <<'P'
import json, sys, yaml
from jsonschema import Draft202012Validator
schema = json.load(open(sys.argv[1]))
Draft202012Validator.check_schema(schema)
errors = list(Draft202012Validator(schema).iter_errors(yaml.safe_load(open(sys.argv[2]))))
for error in errors:
    print(error.json_path, error.message)
sys.exit(len(errors) > 0)
P
valid() { /usr/bin/python3 validate.py "$TESTS/../docs/cluster.schema.json" "$1"; }
# A node that no driver reads is printed as it was parsed: a success is the parser's alone.
parsed() { "$RESEAL" -f "$1" discover; }
fails() { "$@"; [ $? -eq 1 ]; }

sed -n '/^```yaml$/,/^```$/{/^```/d;p}' "$TESTS/../docs/cluster.md" >example.yaml
true_that "the example of docs/cluster.md is valid" valid example.yaml
true_that "the file of a practice cluster is valid" valid "$TESTS/../fuzz/corpus/cluster/lab.yaml"

cat >good.yaml <<'Y'
cluster: 2026
issuer: {certificate: ca.pem, key: ca.key, passphrase: {command: [pass, show, 7]}}
policy: {renew_before: 4w, max_unavailable: 0}
nodes:
  app:
    run_as: 1000
    port: 65535
    stores: {client: {certificate: c.crt, key: c.key, password: {descriptor: 3}}, trust: {certificates: ca.pem}}
    services:
      app: {identities: [{store: client, sni: no}], trust: [trust], client_auth: none}
links:
  - {from: app/app, to: app/app, verify: full}
Y
sed 's/issuer: .*/issuer: {kind: csr, directory: d}/' good.yaml >csr.yaml
true_that "an authority elsewhere is valid" valid csr.yaml
true_that "and is read by reseal" parsed csr.yaml
true_that "numbers and booleans are texts where a text is wanted" valid good.yaml
true_that "and reseal reads them" parsed good.yaml

# refused NAME SED: good.yaml changed so is refused by both.
refused() {
    sed "$2" good.yaml >bad.yaml
    true_that "$1 is different" fails cmp -s good.yaml bad.yaml
    true_that "$1 is not valid" fails valid bad.yaml
    true_that "$1 is refused by reseal" fails parsed bad.yaml
}
refused "an unknown key" 's/sni:/snj:/'
refused "an unknown key at the top" '$a colour: red'
refused "no name" '/^cluster/d'
refused "an issuer without its key" 's/ key: ca.key,//'
refused "a CA that signs by itself with a folder for requests" 's/ key: ca.key,/ key: ca.key, directory: d,/'
refused "an authority elsewhere without a folder for requests" 's/issuer: .*/issuer: {kind: csr, certificate: ca.pem}/'
refused "an authority elsewhere with a key" 's/issuer: .*/issuer: {kind: csr, directory: d, key: k}/'
refused "a link without an end" 's/to: app.app, //'
refused "a choice that there is not" 's/verify: full/verify: fool/'
refused "a duration without its unit" 's/4w/4/'
refused "a duration of nothing" 's/4w/0d/'
refused "a unit that there is not" 's/4w/4q/'
refused "a port that is too large" 's/65535/65536/'
refused "a port that is a word" 's/65535/http/'
refused "a descriptor below none" 's/descriptor: 3/descriptor: -1/'
refused "an empty secret" 's/{descriptor: 3}/{}/'
refused "a secret from two places" 's/descriptor: 3/descriptor: 3, env: X/'
refused "one value where a list is wanted" 's/trust: \[trust\]/trust: trust/'
refused "a list where a mapping is wanted" 's/stores: {.*/stores: []/'
refused "a node with a slash in its name" 's/^  app:/  a\/b:/; s/app.app/a\/b\/app/g'
refused "a key without a value" 's/sni: no/sni:/'
refused "an empty path" 's/key: c.key/key: ""/'
