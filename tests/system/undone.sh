# Stopped after each kind of step, an expiring cluster is taken back to what it was, with a proof.
. "$TESTS/cluster.sh"

# stop_at KIND: a renewal, killed with its workers as soon as the last step of that kind in a row is
# done; what the progress showed last is in `shown`.
stop_at() {
    setsid sh -c 'echo $$ >pid; exec "$0" "$@"' "$RESEAL" -f "$lab/cluster.yaml" \
        --state "$lab/reseal" renew --all --yes 2>&1 |
        while read -r count state kind rest; do
            case $count in [0-9]*/[0-9]*) ;; *) continue ;; esac
            echo "$count $state $kind $rest" >shown
            [ "$kind" != "$1" ] || kill -9 "-$(cat pid)"
        done
}
# Which files the cluster uses; a name may be written with quotes or without.
names() {
    for node in db1 db2 db3; do
        server_file $node
        [ $node = db1 ] || upstream_file $node
    done
    app_file
} | tr -d "'"

on expiring
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$lab/ca/second.key" \
    -out "$lab/ca/second.pem" -days 3650 -subj '/CN=Second Root' 2>/dev/null
sed -i "s|^issuer: .*|issuer: {kind: local, certificate: ca/second.pem, key: ca/second.key}|" "$lab/cluster.yaml"
names >before
cat "$lab"/*/tls/ca.crt >roots
for kind in snapshot issue trust refresh install switch verify; do
    stop_at $kind
    true_that "$kind: it was stopped there" grep -q " $kind " shown
    true_that "$kind: every connection works" every_app
    run r rollback --yes
    case $kind in
        snapshot | issue) true_that "$kind: going back succeeds" says '^exit 0$' ;;
        *) true_that "$kind: going back succeeds, with its proof" \
            eval "says '^exit 0\$' && says 'proof: no working link breaks'" ;;
    esac
    names >after
    true_that "$kind: the files in use are those of before" cmp before after
    true_that "$kind: nobody trusts more than before" eval 'cat "$lab"/*/tls/ca.crt | cmp - roots'
    true_that "$kind: every connection works again" every_app
    for node in db1 db2 db3; do
        true_that "$kind: $node presents what it did" \
            test "$(served $node)" = "$(serial "$lab/$node/tls/server.crt")"
    done
    for node in db2 db3; do
        true_that "$kind: $node streams with what it did" \
            soon streams_with $node "$lab/$node/tls/client.crt"
    done
done
run r check
true_that "check finds what it did before" says '^lab: warning .* 0 of 5 links broken'
