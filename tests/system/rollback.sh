# An expiring cluster renewed and taken back, with a proof both times. Covers back.c and rollback.c.
. "$TESTS/cluster.sh"

# From expiring, with nothing broken on the way: back with a proof.
on expiring
remember
r renew --keep-key --yes --json >renew.json
true_that "keep-key: renew succeeds" test $? -eq 0
true_that "keep-key: it is one document" \
    jq -e '.outcome == "done" and .apply == 1 and ([.steps[] | select(.kind == "verify") | .state] | unique == ["verified"])' renew.json
renewed_everywhere keep-key
true_that "keep-key: the same keys" sh -c '[ "$1" = "$2" ]' - "$(spki "$(server_file db1)") $(spki "$(upstream_file db2)") $(spki "$(app_file)")" \
    "$(spki old/db1/tls/server.crt) $(spki old/db2/tls/client.crt) $(spki old/app/tls/client.crt)"
r rollback --json >back.plan
true_that "back: the way is shown as a plan is" test $? -eq 10
true_that "back: with its proof" jq -e '.proof.proven and ([.steps[] | select(.kind == "install" or .kind == "switch")] | length) == 6' back.plan
true_that "back: and nothing is changed yet" test "$(served db1)" = "$(serial "$(server_file db1)")" -a "$(served db1)" != "$(serial old/db1/tls/server.crt)"
r rollback --yes --json >back.json
true_that "back: succeeds" test $? -eq 0
true_that "back: it is one document" jq -e '.outcome == "done" and .apply == 2' back.json
for node in db1 db2 db3; do
    true_that "back: $node presents the old certificate" test "$(served $node)" = "$(serial "old/$node/tls/server.crt")"
done
for node in db2 db3; do
    true_that "back: $node streams with the old certificate" \
        soon streams_with $node old/$node/tls/client.crt
done
true_that "back: the application connects to every node, with the old certificate" \
    sh -c '[ "$0" = "$1" ]' "$(serial "$(app_file)")" "$(serial old/app/tls/client.crt)"
true_that "back: the application connects to every node" every_app
run r rollback --yes
true_that "back: twice is refused" says 'there is no apply to undo'
r history --json >history.json
true_that "back: history has both" \
    jq -e '[.applies[] | [.outcome, .rollback]] == [["done", true], ["rolled back", false]]' history.json

# The same cluster to another issuer: its root is added, the old one stays.
openssl req -x509 -newkey rsa:2048 -nodes -keyout "$lab/ca/second.key" -out "$lab/ca/second.pem" \
    -days 3650 -subj '/CN=Second Root' 2>/dev/null
sed -i 's|^issuer: .*|issuer: {certificate: ca/second.pem, key: ca/second.key}|' "$lab/cluster.yaml"
r renew --yes >renew.out 2>&1
true_that "second issuer: renew succeeds" test $? -eq 0
renewed_everywhere "second issuer"
anchors() { openssl crl2pkcs7 -nocrl -certfile "$1" | openssl pkcs7 -print_certs -noout | grep -c '^subject='; }
for node in db1 db2 db3 app; do
    true_that "second issuer: $node trusts both roots" \
        sh -c '[ "$0" = 2 ]' "$(anchors "$lab/$node/tls/ca.crt")"
    true_that "second issuer: the new root is one of them" \
        openssl verify -CAfile "$lab/$node/tls/ca.crt" "$(server_file db1)"
done
true_that "second issuer: it signed" openssl verify -CAfile "$lab/ca/second.pem" "$(server_file db2)"
r rollback --yes >back.out 2>&1
true_that "second issuer: going back succeeds" test $? -eq 0
for node in db1 db2 db3 app; do
    true_that "second issuer: back, $node trusts what it did before" \
        cmp "old/$node/tls/ca.crt" "$lab/$node/tls/ca.crt"
done
true_that "second issuer: back, the application connects to every node" every_app
for node in db2 db3; do
    true_that "second issuer: back, $node streams with the old certificate" \
        soon streams_with $node old/$node/tls/client.crt
done

# What changed nothing is not what a rollback is about.
r renew --yes --json >renew.json
true_that "renewed again: succeeds" jq -e '.outcome == "done" and .apply > 0' renew.json
r plan --out plan.json >/dev/null
r renew --yes --json >none.json
true_that "nothing to do: is one document that names no apply" \
    jq -e '.outcome == "done" and .apply == 0 and .steps == []' none.json
r apply plan.json >none.out 2>&1
true_that "a plan without steps: succeeds" test $? -eq 0
r rollback --yes --json >back.json
true_that "the rollback after that undoes the renewal" \
    jq -e '.outcome == "done" and ([.steps[] | select(.kind == "switch")] | length) == 6' back.json
