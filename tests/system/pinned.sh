# A real cluster whose application remembers what its servers show: renewed, stopped and gone on with,
# taken back. Covers pins.c of the planner, expect and forget at the node.
. "$TESTS/cluster.sh"

pins=$lab/app/pins
# pin CERTIFICATE: of its public key, as curl's --pinnedpubkey has it.
pin() {
    openssl x509 -in "$1" -noout -pubkey | openssl pkey -pubin -outform der |
        openssl dgst -sha256 -binary | openssl base64 | sed 's|^|sha256//|'
}
cert_pin() { openssl x509 -in "$1" -outform der | openssl sha256 | sed 's/.*= */cert:sha256:/'; }
pins_are() { # exactly these lines, in any order, beside the comment
    printf '%s\n' "$@" | sort >pins.want
    grep -v '^#' "$pins" | sort | cmp - pins.want
}
# pinned STATE: a lab whose application knows db1 and db3 by their keys and db2 by its certificate.
pinned() {
    on "$1"
    sed -i -e 's|^\(  *\)\(trust: {.*app/.*\)$|\1\2\n\1pins: {format: pins, path: app/pins}|' \
        -e 's|^\( *\)trust: \[trust\]$|\1trust: [trust]\n\1pins: [pins]|' "$lab/cluster.yaml"
    { echo '# what the application knows'; pin "$(server_file db1)"; cert_pin "$(server_file db2)"; pin "$(server_file db3)"; } >"$pins"
}

pinned expiring
cat "$lab/cluster.yaml" >cluster.was
run r check
true_that "it is known by its pins" not says 'BROKEN'
before="$(cat "$pins")"
run r plan
true_that "the plan stages pins and forgets them" says 'add spki:new:'
true_that "of a certificate too" says 'add cert:new:'
r renew --yes --json >renew.json 2>renew.err
true_that "renew succeeds" jq -e '.outcome == "done"' renew.json
true_that "every step was seen done" \
    jq -e '[.steps[] | select(.kind == "expect" or .kind == "forget") | .state] | length == 6 and (unique == ["done"])' renew.json
true_that "the new pins are there and the old ones gone" \
    pins_are "$(pin "$(server_file db1)")" "$(cert_pin "$(server_file db2)")" "$(pin "$(server_file db3)")"
true_that "the comment stays" grep -qx '# what the application knows' "$pins"
run r check
true_that "and the cluster is well" says '^exit 0$'
r rollback --yes >back.out 2>&1
true_that "it is taken back" test $? -eq 0
true_that "with the pins that were there" pins_are $(printf '%s\n' "$before" | grep -v '^#')
run r check
true_that "they match what is shown again" not says 'BROKEN'

# Stopped after pins were staged, and after the first switch: the run that goes on knows what was
# issued, and forgets what is shown no more.
stop_at() { # KIND: a renewal, killed with its workers when a step of that kind is done
    setsid sh -c 'echo $$ >pid; exec "$0" "$@"' "$RESEAL" -f "$lab/cluster.yaml" \
        --state "$lab/reseal" renew --yes 2>&1 |
        while read -r count state kind rest; do
            case $count in [0-9]*/[0-9]*) ;; *) continue ;; esac
            echo "$count $state $kind $rest" >shown
            [ "$kind" != "$1" ] || kill -9 "-$(cat pid)"
        done
}
for kind in expect switch; do
    pinned expiring
    stop_at $kind
    true_that "$kind: it was stopped there" grep -q " $kind " shown
    run r check
    true_that "$kind: every link works" not says 'BROKEN'
    run r renew --yes
    true_that "$kind: the next run goes on" says '^exit 0$'
    true_that "$kind: and remembers what was issued" \
        pins_are "$(pin "$(server_file db1)")" "$(cert_pin "$(server_file db2)")" "$(pin "$(server_file db3)")"
    run r check
    true_that "$kind: the cluster is well" says '^exit 0$'
done
