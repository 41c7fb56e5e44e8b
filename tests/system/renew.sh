# Expired and half-renewed clusters renewed, proven with PostgreSQL's and openssl's own eyes, and taken back byte for byte.
# Covers run.c, dispatch.c, verify.c, perform.c, preflight.c, hold.c, applying.c and planning.c.
# Covers renew.c, history.c, query.c and running.c.
. "$TESTS/cluster.sh"

modes() { stat -c '%U:%G %a' "$@" | sort -u; }

on expired
remember
contents >expired
refused "without a terminal nothing is done without --yes" 'next: .* renew --yes$' \
    "$RESEAL" -f "$lab/cluster.yaml" --state "$lab/reseal" renew
run r history
true_that "nothing was done yet, says history" grep -q 'nothing was done' out
run r rollback --yes
true_that "and there is nothing to undo" says 'there is no apply to undo'
true_that "nothing works at the start" not app db1

r renew --yes >renew.out 2>&1
true_that "expired: renew succeeds" test $? -eq 0
renewed_everywhere expired
true_that "the old files are as they were, beside the new ones" old_files_are_there
for node in db1 db2 db3; do
    new=$(server_file $node)
    true_that "$node: a new key, as its owner's alone" \
        test "$(spki "$new") $(modes "$new" "${new%.crt}.key")" = \
        "$(openssl pkey -in "${new%.crt}.key" -pubout | openssl sha256) $(modes "$lab/$node/tls/server.crt" "$lab/$node/tls/server.key")"
    true_that "$node: it is not the old one" \
        test "$(spki "$new")" != "$(spki "$lab/$node/tls/server.crt")"
    true_that "$node: the certificate carries the old one's name" \
        sh -c 'openssl x509 -noout -ext subjectAltName -in "$0" | grep -q "DNS:'$node'.lab.example"' "$new"
done
true_that "the application's key is new too" \
    test "$(spki "$(app_file)")" != "$(spki "$lab/app/tls/client.crt")"

run r renew --yes
true_that "renew again: nothing to do" grep -q 'nothing to do' out
true_that "renew again: exit 0" says '^exit 0$'
r history >history.out
true_that "history lists the one apply" grep -Eq '^ +1 +[0-9TZ:-]+ +apply +done +lab$' history.out
r history 1 >one.out
true_that "history shows what was seen of each step" sh -c 'grep -q "verified .*connect as every peer of db1/postgres" one.out && grep -q "3 connections accepted on the wire" one.out'
r history --json >history.json
true_that "history is one document" jq -e '.applies | length == 1 and .[0].outcome == "done"' history.json
r history 1 --json >one.json
true_that "an apply is one document with its events" \
    jq -e '.apply == 1 and ([.events[] | select(.state == "verified")] | length) == 4' one.json

# Back to what no longer works: only byte for byte.
refused "going back to expired certificates is refused, with --raw as the way" \
    'next: .* rollback --raw' "$RESEAL" -f "$lab/cluster.yaml" --state "$lab/reseal" rollback --yes
refused "--raw asks first" 'next: .* rollback --raw --yes' \
    "$RESEAL" -f "$lab/cluster.yaml" --state "$lab/reseal" rollback --raw
run r rollback --raw --yes
true_that "--raw succeeds" says '^exit 0$'
contents | grep -v "reseal/\|ca/ledger" >raw
true_that "bytes, owner and mode of every file are as before, and the new files are gone" \
    diff expired raw
r history >history.out
true_that "history says so" grep -q 'rolled back' history.out

on half-renewed
remember
r plan --json >plan.json
true_that "half-renewed: db1 needs nothing, db3 a reload, db2 and the application all" \
    jq -e '[.steps[] | select(.kind == "issue" or .kind == "refresh") | [.kind, .node, .store]] | sort == [["issue", "app", "client"], ["issue", "db2", "server"], ["issue", "db2", "upstream"], ["refresh", "db2", ""], ["refresh", "db3", ""]]' plan.json
r renew --yes >renew.out 2>&1
true_that "half-renewed: renew succeeds" test $? -eq 0
true_that "half-renewed: db1 was left alone" test "$(served db1)" = "$(serial old/db1/tls/server.crt)"
true_that "half-renewed: db3 presents what it had on disk" test "$(served db3)" = "$(serial old/db3/tls/server.crt)"
true_that "half-renewed: db2 presents a new one" test "$(served db2)" = "$(serial "$(server_file db2)")"
true_that "half-renewed: check finds nothing" r check

on healthy
refused_nothing() { contents >before; run r renew --yes; contents >after; cmp before after; }
true_that "healthy: renew changes nothing" refused_nothing
true_that "healthy: there is nothing to do" grep -q 'nothing to do' out
true_that "healthy: exit 0" says '^exit 0$'
run r renew --yes --json
sed '$d' out >doc.json
true_that "healthy: --json is one document" jq -e . doc.json
