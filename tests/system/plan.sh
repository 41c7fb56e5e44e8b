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

# Fingerprints differ from one lab to the next.
shown() {
    run r "$@"
    sed -i 's/sha256:[0-9a-f]\{64\}/sha256:################/; s/ [0-9a-f]\{8\}\b/ ########/g
        s|-f [^ ]*cluster.yaml|-f cluster.yaml|; s|--state [^ ]* ||' out
}
shown plan
same "each wave says what is done and who presents and trusts what after it" out <<'X'
lab: 31 steps in 14 waves

now
      presents  Reseal Lab Root  db1/postgres ########, db2/postgres:server ########,
                                 db3/postgres:server ########, app/app ########,
                                 db2/postgres:upstream ########, db3/postgres:upstream ########
      trusts    Reseal Lab Root  db1/postgres, db2/postgres:clients, db3/postgres:clients, app/app,
                                 db2/postgres:primary, db3/postgres:primary
t0  6 steps, 5 states judged
    snapshot  6: db1/server, db2/server, db3/server, app/client, db2/upstream, db3/upstream
t1  6 steps
    issue     6: db1/server, db2/server, db3/server, app/client, db2/upstream, db3/upstream
t2  2 steps
    install   write the new db2/server beside the old
    install   write the new db2/upstream beside the old
t3  2 steps, 4 states judged
    switch    switch db2/server to the new files
    switch    switch db2/upstream to the new files
    then
      presents  Reseal Lab Root  db2/postgres:server ######## (new stored),
                                 db2/postgres:upstream ######## (new stored), and 4 as before
t4  1 step, 4 states judged
    refresh   load the stored certificate into db2/postgres
    then
      presents  Reseal Lab Root  db2/postgres:server new, db2/postgres:upstream new, and 4 as before
t5  2 steps
    install   write the new db3/server beside the old
    install   write the new db3/upstream beside the old
t6  2 steps, 4 states judged
    switch    switch db3/server to the new files
    switch    switch db3/upstream to the new files
    then
      presents  Reseal Lab Root  db3/postgres:server ######## (new stored),
                                 db3/postgres:upstream ######## (new stored), and 4 as before
t7  1 step, 4 states judged
    refresh   load the stored certificate into db3/postgres
    then
      presents  Reseal Lab Root  db3/postgres:server new, db3/postgres:upstream new, and 4 as before
t8  1 step
    install   write the new app/client beside the old
t9  1 step, 6 states judged
    switch    switch app/client to the new files
    then
      presents  Reseal Lab Root  app/app new, and 5 as before
t10  1 step
    install   write the new db1/server beside the old
t11  1 step, 6 states judged
    switch    switch db1/server to the new files
    then
      presents  Reseal Lab Root  db1/postgres ######## (new stored), and 5 as before
t12  1 step, 6 states judged
    refresh   load the stored certificate into db1/postgres
    then
      presents  Reseal Lab Root  db1/postgres new, and 5 as before
t13  4 steps
    verify    connect as every peer of db2/postgres
    verify    connect as every peer of db3/postgres
    verify    connect as every peer of app/app
    verify    connect as every peer of db1/postgres

what changes in the certificates:
  db1/server  CN=db1.lab.example
    public_key: sha256:################ -> new
  db2/server  CN=db2.lab.example
    public_key: sha256:################ -> new
  db3/server  CN=db3.lab.example
    public_key: sha256:################ -> new
  app/client  CN=app
    public_key: sha256:################ -> new
  db2/upstream  CN=postgres
    public_key: sha256:################ -> new
  db3/upstream  CN=postgres
    public_key: sha256:################ -> new

proof: no working link breaks in 39 judged states; 0 links do not work at the end

next: reseal -f cluster.yaml renew
exit 10
X
shown plan --wave 3
same "one wave is shown by itself, with everyone by name" out <<'X'
t3  2 steps, 4 states judged
    switch    switch db2/server to the new files
    switch    switch db2/upstream to the new files
    then
      presents  Reseal Lab Root  db1/postgres ########, db2/postgres:server ######## (new stored),
                                 db3/postgres:server ########, app/app ########,
                                 db2/postgres:upstream ######## (new stored),
                                 db3/postgres:upstream ########
      trusts    Reseal Lab Root  db1/postgres, db2/postgres:clients, db3/postgres:clients, app/app,
                                 db2/postgres:primary, db3/postgres:primary
exit 10
X
shown plan --wave 14
same "a wave that is not there is refused" out <<'X'
reseal: --wave 14: the plan has waves 0 to 13, or all
  next: reseal -f cluster.yaml plan --wave all
exit 2
X

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
