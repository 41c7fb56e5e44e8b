# What is refused, on a small cluster that runs nothing: each names what is there and what to type.
. "$TESTS/incidents.sh"
r() { "$RESEAL" --state state "$@"; }
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
client b ca ca "listen: \"127.0.0.1:1\", protocol: tls"
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
