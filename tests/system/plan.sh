# A real cluster judged and planned for.
# Covers check_cluster.c, open.c, plan.c and driver.c.
# Covers survey.c, parts.c, links.c and wire.c.
. "$TESTS/lib.sh"
lab=$(pwd)/lab
trap '"$RESEAL" lab down --dir "$lab" >/dev/null 2>&1' EXIT

# on STATE: a fresh lab in that state.
on() {
    "$RESEAL" lab down --dir "$lab" >/dev/null 2>&1
    "$RESEAL" lab up postgresql --dir "$lab" --state "$1" >up.out 2>&1 || cat up.out
}
r() { "$RESEAL" -f "$lab/cluster.yaml" "$@"; }

on expired
r check --json >check.json
true_that "an expired cluster is critical" test "$?" -eq 2
true_that "every link is broken by an expired certificate, seen on the wire" \
    jq -e '(.links | length) == 5 and all(.links[]; .verdict == "broken" and .cause == "leaf_expired" and .basis == "wire")' check.json
true_that "each fault names its store" \
    jq -e '[.links[].store] | unique == ["db1/server", "db2/server", "db3/server"]' check.json
r plan --json >plan.json
true_that "there are steps" test "$?" -eq 10
true_that "the plan renews all six identities and leaves no link broken" \
    jq -e '([.steps[] | select(.kind == "issue")] | length) == 6 and .proof.proven and .proof.unrepaired == []' plan.json
true_that "the primary is switched last" \
    jq -e '[.steps[] | select(.kind == "switch")] | last | .node == "db1"' plan.json
true_that "nothing was changed by planning" sh -c '"$0" -f "$1" plan --json | jq -S "[.steps[].id]" >again && jq -S "[.steps[].id]" plan.json | cmp - again' "$RESEAL" "$lab/cluster.yaml"

on expiring
r check --json >check.json
true_that "an expiring cluster is a warning" test "$?" -eq 1
true_that "every link works and says when it breaks" \
    jq -e 'all(.links[]; .verdict == "ok" and .breaks_at != null)' check.json
r check --at "$(jq -r '.links[0].breaks_at' check.json)" --json >later.json
true_that "at that moment it breaks" jq -e '.links[0].verdict == "broken"' later.json
r plan --json >plan.json
true_that "the proof judges every link at the start and again in every wave that changes an end of it" \
    jq -e '.proof.proven and .proof.waves[0].judged == 5 and all(.proof.waves[]; (.changes.stored + .changes.loaded == {}) or .judged > 0)' plan.json

# A second issuer: its root has to be everywhere first.
mkdir two
for part in "$lab"/*; do ln -s "$part" two/; done
rm two/cluster.yaml
sed "s|certificate: ca/ca.pem|certificate: second.pem|" "$lab/cluster.yaml" >two/cluster.yaml
openssl req -x509 -newkey rsa:2048 -nodes -keyout two/second.key -out two/second.pem -days 3650 \
    -subj '/CN=Second Root' 2>/dev/null
"$RESEAL" -f two/cluster.yaml plan --json >plan.json
true_that "a second issuer's root is added to the trust store of every node before any switch" \
    jq -e '[.steps[].kind] as $k | ([$k[] | select(. == "trust")] | length) == 4 and ($k | rindex("trust")) < ($k | index("switch")) and .proof.proven' plan.json

# An issuer that ends sooner than a certificate would be due again.
openssl req -x509 -newkey rsa:2048 -nodes -keyout two/second.key -out two/second.pem -days 5 \
    -subj '/CN=Short Root' 2>/dev/null
run "$RESEAL" -f two/cluster.yaml plan
true_that "an issuer that ends too soon is refused" grep -qx 'exit 1' out
true_that "the refusal names the issuer and where it is declared" sh -c 'grep -q "Short Root" out && grep -q "at .*cluster.yaml:3" out'

on half-renewed
r check --json >check.json
true_that "what was renewed but not loaded is found at its node" \
    jq -e '[.findings[] | select(.code == "restart_needed_after_renewal") | .where] | unique == ["db3/postgres"]' check.json
r plan --json >plan.json
true_that "the plan leaves the renewed node alone and only loads what is there at the third" \
    jq -e '[.steps[] | select(.kind == "issue" and .node == "db1")] == [] and ([.steps[] | select(.node == "db3" and .kind == "issue" and .store == "server")] == [])' plan.json

on healthy
r check >out
true_that "a healthy cluster is ok" test "$?" -eq 0
r plan >out
true_that "and needs no step" test "$?" -eq 0

run "$RESEAL" -f none.yaml check
same "a cluster file that is not there is named" out <<'X'
reseal: none.yaml: No such file or directory
exit 3
X
run "$RESEAL" check
true_that "without a cluster file the next command is given" grep -q 'next: .*lab up postgresql' out
