# etcd: a lab of it, what reseal makes of members that load their trust only when they start, and
# repairs. The root change under load is in watched.sh. Covers cluster_file.c.
. "$TESTS/lib.sh"
lab=$PWD/lab
trap '"$RESEAL" lab down --dir "$lab" >/dev/null 2>&1' EXIT
trap 'exit 1' HUP INT TERM

on() {
    "$RESEAL" lab down --dir "$lab" >/dev/null 2>&1
    "$RESEAL" lab up etcd --dir "$lab" --state "$1" >up.out 2>&1 || cat up.out
}
r() { "$RESEAL" -f "$lab/cluster.yaml" --state "$lab/reseal" "$@"; }
# What differs from run to run: this folder, times, fingerprints, ports, pids, who leads.
plain() {
    sed -i "s|$PWD|DIR|g; s/20..-..-..T..:..:..Z/TIME/g; s/sha256:[0-9a-f]*/sha256:…/g; s/port [0-9]*/port N/
        s/until 20..-..-../until DAY/; s/pid [0-9]*/pid N/; s/leader\|follower/member/; s/[0-9]* states judged/N states judged/; s/[0-9]* judged states/N judged states/" out
}
ctl() { sh "$lab/$1/ctl" endpoint health; }
all_serve() { ctl etcd1 && ctl etcd2 && ctl etcd3; }
key_of() { openssl x509 -noout -pubkey -in "$1" | openssl sha256; }
named() { sed -n "/^$2-transport/,\$s|^  cert-file: *|$lab/$1/|p" "$lab/$1/etcd.yml" | head -n 1; }
pids() { "$RESEAL" lab status --dir "$lab" --json | jq -c '[.nodes[].pid]'; }
outages() { jq -c '.steps[] | select(.outage != []) | [.node, .outage_kind, (.outage | sort)]' "$1"; }

on expiring
run "$RESEAL" lab status --dir "$lab"
plain
same "lab status shows members, and the certificates that they use" out <<'X'
DIR/lab (made expiring); certificates as they are on disk
  etcd1  member, port N, pid N
      DIR/lab/etcd1/tls/server.crt  CN=etcd1.lab.example, ends in 9 days
      DIR/lab/etcd1/tls/peer.crt  CN=etcd1.lab.example, ends in 9 days
  etcd2  member, port N, pid N
      DIR/lab/etcd2/tls/server.crt  CN=etcd2.lab.example, ends in 9 days
      DIR/lab/etcd2/tls/peer.crt  CN=etcd2.lab.example, ends in 9 days
  etcd3  member, port N, pid N
      DIR/lab/etcd3/tls/server.crt  CN=etcd3.lab.example, ends in 9 days
      DIR/lab/etcd3/tls/peer.crt  CN=etcd3.lab.example, ends in 9 days
  app  a client
      DIR/lab/app/tls/client.crt  CN=app, ends in 9 days
exit 0
X
true_that "one of them leads" sh -c '"$0" lab status --json --dir "$1" | jq -e "[.nodes[].role] | sort == [\"follower\", \"follower\", \"leader\"]"' "$RESEAL" "$lab"
run r check
plain
same "every link is found good, on the wire" out <<'X'
lab: warning at TIME: 0 of 9 links broken

  ok      app/app->etcd1/etcd  breaks in 9 days
  ok      app/app->etcd2/etcd  breaks in 9 days
  ok      app/app->etcd3/etcd  breaks in 9 days
  ok      etcd1/peer->etcd2/peer  breaks in 9 days
  ok      etcd1/peer->etcd3/peer  breaks in 9 days
  ok      etcd2/peer->etcd1/peer  breaks in 9 days
  ok      etcd2/peer->etcd3/peer  breaks in 9 days
  ok      etcd3/peer->etcd1/peer  breaks in 9 days
  ok      etcd3/peer->etcd2/peer  breaks in 9 days

findings:
  warning   etcd1/server: CN=etcd1.lab.example (sha256:…, until DAY) ends in 9 days
  warning   etcd1/peer: CN=etcd1.lab.example (sha256:…, until DAY) ends in 9 days
  warning   etcd2/server: CN=etcd2.lab.example (sha256:…, until DAY) ends in 9 days
  warning   etcd2/peer: CN=etcd2.lab.example (sha256:…, until DAY) ends in 9 days
  warning   etcd3/server: CN=etcd3.lab.example (sha256:…, until DAY) ends in 9 days
  warning   etcd3/peer: CN=etcd3.lab.example (sha256:…, until DAY) ends in 9 days
  warning   app/client: CN=app (sha256:…, until DAY) ends in 9 days

next: reseal -f DIR/lab/cluster.yaml --state DIR/lab/reseal plan
exit 1
X

# Another root: trust is loaded at the start alone, so each member is restarted, for the new root
# and without the old.
"$RESEAL" issuer create --certificate "$lab/ca/new.pem" --key "$lab/ca/new.key" --name 'New Root' \
    --passphrase-file "$lab/ca/pass" >/dev/null
cp "$lab/cluster.yaml" before.yaml
sed -i 's#^issuer: .*#issuer: {kind: local, certificate: ca/new.pem, key: ca/new.key, passphrase: {file: ca/pass}}#' "$lab/cluster.yaml"
run r plan --new-issuer
plain
sed -i 's/ [0-9a-f]\{8\}\b/ ########/g' out
same "a root is replaced with one restart of one member at a time, each with its outage" out <<'X'
lab: 47 steps in 15 waves

now
      presents  Reseal Lab Root  etcd1/etcd ########, etcd1/peer ########, etcd2/etcd ########,
                                 etcd2/peer ########, etcd3/etcd ########, etcd3/peer ########,
                                 app/app ########
      trusts    Reseal Lab Root  etcd1/etcd, etcd1/peer, etcd2/etcd, etcd2/peer, etcd3/etcd,
                                 etcd3/peer, app/app
t0  11 steps, N states judged
    snapshot  11: etcd1/trust, etcd2/trust, etcd3/trust, app/trust, etcd1/server, etcd1/peer,
              etcd2/server, etcd2/peer, etcd3/server, etcd3/peer, app/client
t1  7 steps
    issue     7: etcd1/server, etcd1/peer, etcd2/server, etcd2/peer, etcd3/server, etcd3/peer,
              app/client
t2  4 steps, N states judged
    trust     add CN=New Root to etcd1/trust
    trust     add CN=New Root to etcd2/trust
    trust     add CN=New Root to etcd3/trust
    trust     add CN=New Root to app/trust
    then
      trusts    Reseal Lab Root (stored: Reseal Lab Root, New Root)
                                           etcd1/etcd, etcd1/peer, etcd2/etcd, etcd2/peer,
                                           etcd3/etcd, etcd3/peer
                Reseal Lab Root, New Root  app/app
t3  1 step, N states judged
    refresh   restart etcd1/etcd to load the new anchor
              not there meanwhile: app/app->etcd1/etcd, etcd1/peer->etcd2/peer,
                etcd1/peer->etcd3/peer, etcd2/peer->etcd1/peer, etcd3/peer->etcd1/peer
    then
      trusts    Reseal Lab Root (stored: Reseal Lab Root, New Root)
                                           4 as before
                Reseal Lab Root, New Root  etcd1/etcd, etcd1/peer, and 1 as before
t4  1 step, N states judged
    refresh   restart etcd2/etcd to load the new anchor
              not there meanwhile: app/app->etcd2/etcd, etcd1/peer->etcd2/peer,
                etcd2/peer->etcd1/peer, etcd2/peer->etcd3/peer, etcd3/peer->etcd2/peer
    then
      trusts    Reseal Lab Root (stored: Reseal Lab Root, New Root)
                                           2 as before
                Reseal Lab Root, New Root  etcd2/etcd, etcd2/peer, and 3 as before
t5  1 step, N states judged
    refresh   restart etcd3/etcd to load the new anchor
              not there meanwhile: app/app->etcd3/etcd, etcd1/peer->etcd3/peer,
                etcd2/peer->etcd3/peer, etcd3/peer->etcd1/peer, etcd3/peer->etcd2/peer
    then
      trusts    Reseal Lab Root, New Root  etcd3/etcd, etcd3/peer, and 5 as before
t6  3 steps, N states judged
    install   write the new etcd1/server over the old
    install   write the new etcd1/peer over the old
    install   write the new app/client over the old
    then
      presents  Reseal Lab Root  4 as before
                New Root         etcd1/etcd new, etcd1/peer new, app/app new
t7  2 steps, N states judged
    install   write the new etcd2/server over the old
    install   write the new etcd2/peer over the old
    then
      presents  Reseal Lab Root  2 as before
                New Root         etcd2/etcd new, etcd2/peer new, and 3 as before
t8  2 steps, N states judged
    install   write the new etcd3/server over the old
    install   write the new etcd3/peer over the old
    then
      presents  New Root  etcd3/etcd new, etcd3/peer new, and 5 as before
t9  1 step
    hold      wait until nobody presents what CN=Reseal Lab Root vouches for
t10  4 steps, N states judged
    distrust  remove CN=Reseal Lab Root from etcd1/trust
    distrust  remove CN=Reseal Lab Root from etcd2/trust
    distrust  remove CN=Reseal Lab Root from etcd3/trust
    distrust  remove CN=Reseal Lab Root from app/trust
    then
      trusts    Reseal Lab Root, New Root (stored: New Root)
                          etcd1/etcd, etcd1/peer, etcd2/etcd, etcd2/peer, etcd3/etcd, etcd3/peer
                New Root  app/app
t11  1 step, N states judged
    refresh   restart etcd1/etcd to load what is left to trust
              not there meanwhile: app/app->etcd1/etcd, etcd1/peer->etcd2/peer,
                etcd1/peer->etcd3/peer, etcd2/peer->etcd1/peer, etcd3/peer->etcd1/peer
    then
      trusts    Reseal Lab Root, New Root (stored: New Root)
                          4 as before
                New Root  etcd1/etcd, etcd1/peer, and 1 as before
t12  1 step, N states judged
    refresh   restart etcd2/etcd to load what is left to trust
              not there meanwhile: app/app->etcd2/etcd, etcd1/peer->etcd2/peer,
                etcd2/peer->etcd1/peer, etcd2/peer->etcd3/peer, etcd3/peer->etcd2/peer
    then
      trusts    Reseal Lab Root, New Root (stored: New Root)
                          2 as before
                New Root  etcd2/etcd, etcd2/peer, and 3 as before
t13  1 step, N states judged
    refresh   restart etcd3/etcd to load what is left to trust
              not there meanwhile: app/app->etcd3/etcd, etcd1/peer->etcd3/peer,
                etcd2/peer->etcd3/peer, etcd3/peer->etcd1/peer, etcd3/peer->etcd2/peer
    then
      trusts    New Root  etcd3/etcd, etcd3/peer, and 5 as before
t14  7 steps
    verify    7: etcd1/etcd, etcd1/peer, app/app, etcd2/etcd, etcd2/peer, etcd3/etcd, etcd3/peer

what changes in the certificates:
  etcd1/server  CN=etcd1.lab.example
    issuer: CN=Reseal Lab Root -> CN=New Root
  etcd1/peer  CN=etcd1.lab.example
    issuer: CN=Reseal Lab Root -> CN=New Root
  etcd2/server  CN=etcd2.lab.example
    issuer: CN=Reseal Lab Root -> CN=New Root
  etcd2/peer  CN=etcd2.lab.example
    issuer: CN=Reseal Lab Root -> CN=New Root
  etcd3/server  CN=etcd3.lab.example
    issuer: CN=Reseal Lab Root -> CN=New Root
  etcd3/peer  CN=etcd3.lab.example
    issuer: CN=Reseal Lab Root -> CN=New Root
  app/client  CN=app
    issuer: CN=Reseal Lab Root -> CN=New Root

proof: no working link breaks in N judged states, besides the moments of 6 restarts; 0 links do not work at the end

next: reseal -f DIR/lab/cluster.yaml --state DIR/lab/reseal renew --new-issuer
exit 10
X
r plan --new-issuer --json >plan.json
outages plan.json >listed
same "a restart is an outage of both the places where a member listens" listed <<'X'
["etcd1","restart",["app/app->etcd1/etcd","etcd1/peer->etcd2/peer","etcd1/peer->etcd3/peer","etcd2/peer->etcd1/peer","etcd3/peer->etcd1/peer"]]
["etcd2","restart",["app/app->etcd2/etcd","etcd1/peer->etcd2/peer","etcd2/peer->etcd1/peer","etcd2/peer->etcd3/peer","etcd3/peer->etcd2/peer"]]
["etcd3","restart",["app/app->etcd3/etcd","etcd1/peer->etcd3/peer","etcd2/peer->etcd3/peer","etcd3/peer->etcd1/peer","etcd3/peer->etcd2/peer"]]
["etcd1","restart",["app/app->etcd1/etcd","etcd1/peer->etcd2/peer","etcd1/peer->etcd3/peer","etcd2/peer->etcd1/peer","etcd3/peer->etcd1/peer"]]
["etcd2","restart",["app/app->etcd2/etcd","etcd1/peer->etcd2/peer","etcd2/peer->etcd1/peer","etcd2/peer->etcd3/peer","etcd3/peer->etcd2/peer"]]
["etcd3","restart",["app/app->etcd3/etcd","etcd1/peer->etcd3/peer","etcd2/peer->etcd3/peer","etcd3/peer->etcd1/peer","etcd3/peer->etcd2/peer"]]
X
cp before.yaml "$lab/cluster.yaml"

# A key can be new where one file names it, which etcd reads at the start: see docs/etcd.md.
for node in etcd1 etcd2 etcd3; do
    sed -i "/^  $node:/,/^  [a-z0-9]*:\$/{/load: /a\\        reference: $node/etcd.yml
    }" "$lab/cluster.yaml"
done
sed -i 's/load: {identity: per_connection, trust: restart}/load: {identity: restart, trust: restart}/' "$lab/cluster.yaml"
for node in etcd1 etcd2 etcd3; do for file in server peer; do key_of "$lab/$node/tls/$file.crt"; done; done >keys.before
pids >pids.before
r plan --json >plan.json
true_that "new keys need one restart of each member, for both its certificates" \
    eval 'outages plan.json | jq -se "map(.[0]) == [\"etcd1\", \"etcd2\", \"etcd3\"]"'
run r renew --yes
true_that "they are renewed with new keys" grep -q 'seen on the wire$' out
for node in etcd1 etcd2 etcd3; do key_of "$(named $node client)"; key_of "$(named $node peer)"; done >keys.after
true_that "every key is a new one" sh -c '[ "$(sort -u keys.before keys.after | wc -l)" -eq 12 ]'
pids >pids.after
true_that "each of them has another process" jq -ne '[inputs] | .[0] as $a | .[1] as $b | [range(3)] | all($a[.] != $b[.] and $b[.] > 0)' pids.before pids.after
true_that "all members serve" all_serve
run r plan
true_that "nothing is left to do" grep -q '^lab: 0 steps' out

# Nobody accepts anybody: there is no leader, and nobody answers clients.
on expired
true_that "expired: up" test -s "$lab/cluster.yaml"
true_that "expired: the members run without a leader" sh -c '"$0" lab status --json --dir "$1" | jq -e ".nodes | all(.running and .role == null)"' "$RESEAL" "$lab"
r check --json >check.json
true_that "expired: every link is broken for that reason, though no member answers its clients" \
    jq -e '(.links | length) == 9 and all(.links[]; .cause == "leaf_expired")' check.json
true_that "expired: no member serves" eval '! ctl etcd1 && ! ctl etcd2 && ! ctl etcd3'
pids >pids.before
run r renew --yes
true_that "expired: it is repaired" grep -qx 'exit 0' out
for try in $(seq 50); do all_serve >/dev/null 2>&1 && break; sleep 0.2; done
true_that "expired: the members find each other again" all_serve
pids >pids.after
true_that "expired: and none was restarted" cmp pids.before pids.after
