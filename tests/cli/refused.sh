# What is refused, on a small cluster that runs nothing: each names what is there and what to type.
. "$TESTS/incidents.sh"
r() { "$RESEAL" --state state "$@"; }
not() { ! "$@"; }
# refuses NAME EXIT WORDS NEXT COMMAND...: these words, then the command to type, which is known.
refuses() {
    name=$1 code=$2 words=$3 next=$4
    shift 4
    run "$@"
    if grep -qx "exit $code" out && grep -qE -e "$words" out && grep -qE -e "^ *next: $next" out; then
        echo "ok $name"
    else
        echo "not ok $name"
        sed 's/^/# /' out
    fi
}

root ca
client a ca ca
client b ca ca
link a b
link b a
issuer ca

# ---- plan --out ----
cp ca.key precious
refuses "a plan is not written over what is none" 1 'precious is there, and is no plan' \
    'reseal --state state plan --all --out precious.plan$' r plan --all --out precious
true_that "which stays as it is" cmp ca.key precious
: >empty
run r plan --all --out empty
true_that "it is written over an empty file" jq -e '.steps | length > 0' empty
run r plan --out empty
true_that "and over another plan" jq -e '.steps == []' empty

# ---- a node that cannot be reached ----
sed "s|  b: {state|  b: {reach: \"ssh://127.0.0.1:1\", state|; /^  b:/s|\([ {]\)b/|\1$PWD/b/|g" cluster.yaml >away.yaml
run r -f away.yaml check --json
grep -v '^exit' out >away.json
true_that "links of a node that cannot be read are neither ok nor broken" \
    jq -e '[.links[] | [.verdict, .cause, .text]] | unique == [["unknown", null, "a node of it did not answer"]]' away.json
run r -f away.yaml check
true_that "and are shown so" test "$(grep -c '^  ? .*a node of it did not answer' out)" = 2

# ---- numbers and names that nothing has ----
refuses "a wave that is no number" 2 '--wave x: the plan has waves 0 to [0-9]+, or all' \
    'reseal --state state plan --all --wave all$' r plan --all --wave x
refuses "a wave that is not there" 2 '--wave 99: the plan has waves 0 to [0-9]+, or all' \
    'reseal --state state plan --all --wave all$' r plan --all --wave 99
refuses "an apply where there was none" 2 'there is no apply 7 of this cluster; there are none yet' \
    'reseal --state state history$' r history 7
sed '/^links:/,$d' cluster.yaml >alone.yaml
run r -f alone.yaml renew --all --yes
true_that "what nothing connects to is known by what is stored" \
    grep -q '^done in .*: apply 1, known by what is stored, as nothing can be seen on the wire$' out
run r -f alone.yaml history 1
true_that "and its history does not say more" not grep -q 'on the wire' out
refuses "an apply that there is not, to be undone" 2 'there is no apply 99 of this cluster; there is 1$' \
    'reseal -f alone.yaml --state state history$' r -f alone.yaml rollback 99
refuses "what is no number, to be undone" 2 'there is no apply x of this cluster; there is 1$' \
    'reseal -f alone.yaml --state state history$' r -f alone.yaml rollback x
refuses "or to be looked at" 2 'there is no apply x of this cluster; there is 1$' \
    'reseal -f alone.yaml --state state history$' r -f alone.yaml history x
printf 'cluster: a\nnodes:\n  a: {}\n  b: {}\n  a: {}\n  a: {}\n' >thrice.yaml
refuses "nodes of one name" 3 "'a' is given twice, first on line 3" "sed -n '3p;5p' 'thrice.yaml'\$" r -f thrice.yaml check
refuses "a lab of no server" 2 '--nodes 0: not a number from 1 up' 'reseal lab up --help$' \
    "$RESEAL" lab up postgresql --nodes 0
sed 's/^issuer: .*/issuer: {kind: csr, directory: requests}/' alone.yaml >csr.yaml
refuses "a request to forget, where there is none" 2 'no request is called x: none is waited for' \
    'reseal -f csr.yaml --state other issuer list$' "$RESEAL" -f csr.yaml --state other issuer forget x
run "$RESEAL" -f csr.yaml --state other renew --all --yes
refuses "a request that is not there" 2 'no request is called x: there are a-tls-[0-9a-f]*, b-tls-[0-9a-f]*$' \
    'reseal -f csr.yaml --state other issuer list$' "$RESEAL" -f csr.yaml --state other issuer forget x
refuses "a request that was not named" 2 'name the requests to forget, or --all: there are a-tls-' \
    'reseal -f csr.yaml --state other issuer list$' "$RESEAL" -f csr.yaml --state other issuer forget

# ---- the passphrase of the issuer's key ----
echo right >right
echo wrong >wrong
run "$RESEAL" issuer create --certificate new.crt --key new.key --passphrase-file right
for pass in 'file: wrong' 'file: none' 'env: WRONG'; do
    sed "s/^issuer: .*/issuer: {certificate: new.crt, key: new.key, passphrase: {$pass}}/" alone.yaml >wrong.yaml
    WRONG=wrong r -f wrong.yaml renew --new-issuer --yes >out 2>&1 </dev/null
    true_that "the passphrase {$pass} is refused, and where it came from is said" \
        grep -qE 'the passphrase from (file .*/(wrong|none)|environment variable WRONG): ' out
    try=$(sed -n 's/^ *next: //p' out)
    true_that "and it can be tried" expr "$try" : "openssl pkey -in .*new.key.* -noout"
done

# ---- one document, whatever happens ----
document() { # document NAME WORDS NEXT COMMAND...: its standard output is one document with the error
    name=$1 words=$2 next=$3
    shift 3
    "$@" --json >doc.json 2>err </dev/null
    true_that "$name: the refusal is one document" jq -e --arg words "$words" --arg next "$next" \
        '(.error | test($words)) and (.next | test($next))' doc.json
    true_that "$name: and on standard error as ever" grep -qE "$words" err
}
document "plan --out" 'is no plan' ' plan --out precious.plan$' r plan --out precious
document "renew" 'connect to host 127.0.0.1' ' renew --without b$' r -f away.yaml renew --yes
document "renew without --yes" 'nobody is here to ask' ' renew --all --yes$' r -f alone.yaml renew --all
document "history" 'there is no apply 7' ' history$' r -f alone.yaml history 7
r -f alone.yaml plan --wave 99 --all --json >doc.json 2>/dev/null
true_that "a plan is one document" jq -e '.proof and .error == null' doc.json
