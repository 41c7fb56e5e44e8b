# What changed between plan and apply, and a renewal that was killed and goes on.
# Covers stale.c and perform.c.
. "$TESTS/cluster.sh"


on expiring
r plan --out plan.json >/dev/null
true_that "a plan is written" jq -e '.steps | length == 31' plan.json

# Files that are no plan, or another's.
echo 'hello' >garbage.json
refused "a file that is no JSON is no plan" 'garbage.json' r apply garbage.json
echo '{"steps": 5}' >garbage.json
refused "JSON that is no plan is told apart" 'garbage.json: not a plan' r apply garbage.json
head -c 2000 plan.json >garbage.json
refused "half a plan is none" 'garbage.json' r apply garbage.json
refused "a plan that is not there is named" 'none.json: No such file' r apply none.json
jq '.cluster = "other"' plan.json >other.json
refused "the plan of another cluster is refused" 'is a plan for cluster other, and .*cluster.yaml is lab' \
    r apply other.json
jq '.steps[0].id = "0123456789abcdef"' plan.json >other.json
refused "a step that nobody would plan is refused" 'next: .* plan --out other.json' r apply other.json

# Another certificate for the same key, from the same root, due as well.
cp "$lab/db2/tls/server.crt" db2.crt
echo 'subjectAltName = DNS:db2.lab.example' >ext
openssl req -new -key "$lab/db2/tls/server.key" -subj /CN=db2.lab.example |
    openssl x509 -req -CA "$lab/ca/ca.pem" -CAkey "$lab/ca/ca.key" -passin "file:$lab/ca/pass" \
        -CAcreateserial -days 20 -extfile ext >new.crt 2>/dev/null
cat new.crt >"$lab/db2/tls/server.crt"
refused "another certificate makes the plan stale" 'the plan does not fit any more' r apply plan.json
true_that "stale: the difference names the store" says 'not as planned: .*db2/server'
true_that "stale: the file that changed is named" says 'changed since: .*db2/tls/server.crt'
true_that "stale: the next command is a new plan" says 'next: .* plan --out plan.json'
cat db2.crt >"$lab/db2/tls/server.crt"

# A comment in a trust file changes nothing that was planned. Killed in the middle it goes on.
echo '# reviewed' >>"$lab/db2/tls/ca.crt"
strace -o /dev/null -e trace=fdatasync -e inject=fdatasync:signal=SIGKILL:when=90 \
    "$RESEAL" -f "$lab/cluster.yaml" --state "$lab/reseal" apply plan.json >killed.out 2>&1
true_that "killed: in the middle" sh -c 'grep -q " 6/31 " killed.out && ! grep -q "31/31" killed.out'
r history >history.out
true_that "killed: history says that it was stopped" grep -q 'apply *stopped' history.out
true_that "killed: every connection still works" every_app
r apply plan.json --json >again.json
true_that "killed: the same plan goes on" jq -e '.outcome == "done" and .resumed and .apply == 1' again.json
converged "killed and applied again"
true_that "the comment is still there" grep -q '^# reviewed' "$lab/db2/tls/ca.crt"

# A renewal instead of an apply, killed later.
on expiring
strace -o /dev/null -e trace=fdatasync -e inject=fdatasync:signal=SIGKILL:when=75 \
    "$RESEAL" -f "$lab/cluster.yaml" --state "$lab/reseal" renew --yes >killed.out 2>&1
true_that "renew killed: in the middle" sh -c 'grep -q " 13/31 " killed.out && ! grep -q "27/31" killed.out'
r renew --yes >again.out 2>&1
true_that "renew killed: it goes on" test $? -eq 0
true_that "renew killed: its progress counts to its end" \
    sh -c 'sed -n "s|^ *\([0-9]*/[0-9]*\)  ok .*|\1|p" "$0" | tail -n 1 | grep -q "^\([0-9]*\)/\1$"' again.out
converged "renew killed"
true_that "renew killed: one apply is all there was" jq -e '.applies | length == 1' history.json
