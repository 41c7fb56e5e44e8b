# A cluster whose nodes are reached over ssh: the same answers as here, what is refused and what to
# type then, and connections that are lost. Covers ssh.c, reach.c and fleet.c.
. "$TESTS/cluster.sh"
. "$TESTS/sshd.sh"
trap 'sshd_down; "$RESEAL" lab down --dir "$lab" >/dev/null 2>&1' EXIT
far=$(pwd)/far.yaml

# far_file [NODE PROGRAM]...: the lab's cluster file, every node over ssh; a node has its own program.
far_file() {
    sed "s#\\(data\\|socket\\|state\\|certificate\\|key\\|certificates\\|reference\\): \\(db[0-9]/\\|app/\\|reseal/\\)#\\1: $lab/\\2#g
        s#: ca/#: $lab/ca/#g
        s#^    reach: local#    reach: ssh://$user@127.0.0.1:$ssh_port\\n    program: [reseal]#
        1i ssh_config: $ssh_dir/config" "$lab/cluster.yaml" >"$far"
    while [ $# -gt 0 ]; do
        sed -i "/^  $1:/,/program:/s#program: .*#program: $2#" "$far"
        shift 2
    done
}
r() { "$RESEAL" -f "$far" --state "$lab/reseal" "$@"; }
between() { echo "[$TESTS/between, $(pwd)/$1, $RESEAL]"; } # a node's program: tests/between in a folder
lasts() { jq -r "[.events[] | select(.state == \"$1\")] | length" events.json; }

sshd_up || echo "not ok there is an sshd"
trusted

# ---- the same as here ----

on expiring
far_file
shape() { jq -S '[.links[] | [.from, .to, .verdict, .cause, .basis]], [.findings[] | [.code, .where, .text]]' "$1"; }
"$RESEAL" -f "$lab/cluster.yaml" check --json >here.json
r check --json >there.json
shape here.json >here.shape
shape there.json >there.shape
true_that "five connections are judged on the wire" \
    jq -e '.links | length == 5 and all(.basis == "wire")' there.json
true_that "check says of nodes over ssh what it says here" cmp here.shape there.shape
steps() { jq -S '[.steps[] | [.kind, .node, .service, .store, .expects, .leaves]], .proof' "$1"; }
"$RESEAL" -f "$lab/cluster.yaml" plan --json | steps /dev/stdin >here.steps
r plan --json | steps /dev/stdin >there.steps
true_that "plan plans the same" cmp here.steps there.steps
true_that "and that is something" grep -q install there.steps

places=$(for node in db1 db2 db3; do echo "ssh://$user@127.0.0.1:$ssh_port$lab/$node/data"; done)
run "$RESEAL" discover --ssh-config ssh/config $places
true_that "discover looks into data folders elsewhere" says "data: $lab/db3/data"
true_that "and finds who streams from whom" says 'to: db1/postgres'
true_that "paths elsewhere stay absolute" says "certificate: $lab/db2/tls/server.crt"
run "$RESEAL" discover "ssh://$user@127.0.0.1:$ssh_port"
true_that "a machine is no place" says 'is not ssh://\[USER@\]HOST\[:PORT\]/FOLDER'

mkdir calls
far_file db2 "$(between calls)"
remember
true_that "renew succeeds" r renew --yes
renewed_everywhere "renewed"
sort -u calls/called >told
same "all that a worker is told on its command line is its node and where its state is" told <<X
node --state $lab/reseal/db2 -- db2
X
run r rollback --yes
true_that "rollback succeeds" says '^exit 0$'
true_that "rolled back: every connection works" every_app
true_that "rolled back: db2 presents the old certificate" test "$(served db2)" = "$(serial old/db2/tls/server.crt)"
true_that "rolled back: nothing is lost" old_files_are_there

# A key that may do nothing else: whatever is asked for, the worker of db1 is what there is.
cp ssh/authorized ssh/authorized.kept
echo "restrict,command=\"$RESEAL node --state $lab/reseal/db1 -- db1\" $(cat ssh/user.pub)" >ssh/authorized
far_file db1 '[/nowhere/reseal]'
sed '/^  db2:/,$d' "$far" >one.yaml
true_that "a key that is bound to one command is enough" eval '"$RESEAL" -f one.yaml discover | grep -q server.crt'
cp ssh/authorized.kept ssh/authorized

# ---- refused, and nothing is changed ----

far_file
: >ssh/known
refused "an unknown host key is refused, with its fingerprint" \
    "host key of \\[127.0.0.1\\]:$ssh_port is not known here; it offers ssh-ed25519 $(fingerprint)" r renew --all --yes
true_that "the command that accepts it is there to be typed" \
    says "next: ssh -F $ssh_dir/config -p $ssh_port -o StrictHostKeyChecking=ask $user@127.0.0.1 true"
printf '#!/bin/sh\necho yes\n' >say_yes
chmod 755 say_yes
true_that "typed, it accepts it" env SSH_ASKPASS="$(pwd)/say_yes" SSH_ASKPASS_REQUIRE=force \
    sh -c "$(sed -n 's/^ *next: *//p' out)"
run r check
true_that "then the node is reached" says '^  ok +app/app->db1/postgres'

ssh-keygen -q -t ed25519 -N '' -f ssh/other
trusted other
cp ssh/known known.before
refused "a host key that has changed is refused, with its fingerprint and what it differs from" \
    "is not the one that $ssh_dir/known:1 holds; it offers ssh-ed25519 $(fingerprint)" r renew --all --yes
true_that "known_hosts is left alone" cmp known.before ssh/known
sh -c "$(sed -n 's/^ *next: *//p' out)" >/dev/null 2>&1
true_that "the next command forgets the old one" not grep -q . ssh/known
trusted

sed -i "s#ssh://$user@#ssh://nobody-of-here@#" "$far"
refused "a user who may not log in is refused" \
    'ssh may not log in there: nobody-of-here@127.0.0.1: Permission denied' r renew --all --yes
far_file db2 '[/nowhere/reseal]'
refused "a node without reseal is refused" \
    'db2: `/nowhere/reseal` cannot be run there .*`program:` of the node' r renew --all --yes
true_that "the next command tries it" says "next: ssh .* '/nowhere/reseal --version'"
cat >old_worker <<X
#!/bin/sh
echo 'Welcome' >&2
'$RESEAL' "\$@" | sed -u 's/"version":1,"program":"[^"]*"/"version":7,"program":"0.7"/'
X
chmod 755 old_worker
far_file db2 "[$(pwd)/old_worker]"
refused "another version of the protocol is refused" \
    'db2: reseal 0.7 there speaks version 7 of the protocol, reseal .* here version 1: both must be the same' \
    r renew --all --yes
printf '#!/bin/sh\necho Have a nice day\nexec "%s" "$@"\n' "$RESEAL" >nice_worker
chmod 755 nice_worker
far_file db2 "[$(pwd)/nice_worker]"
refused "a log-in that prints text of its own is refused" \
    'db2: it prints "Have a nice day" where reseal.s answer should be' r renew --all --yes

# Somebody who takes the connection and says nothing, and a worker that does not greet.
mute() {
    exec python3 -c 'import socket, sys, time
s = socket.create_server(("127.0.0.1", int(sys.argv[1])))
time.sleep(120)' "$port"
}
on_free_port mute
mute=$server
far_file db2 '[sh, -c, "exec cat >/dev/null"]'
sed -i "/^  db3:/,/reach:/s#:$ssh_port#:$port#" "$far"
run r check
kill "$mute"
true_that "a host that never answers is given up" says 'db3: .*(timed out|Timeout|timeout)'
true_that "so is a worker that does not say hello" says 'db2: its worker does not say hello'
true_that "the others are judged all the same" says '^  ok +app/app->db1/postgres'

# ---- the connection is lost in the middle of a step ----

# lose WHEN COMMAND: renew, and at db2's install COMMAND happens instead of the request or the answer.
lose() {
    on expiring
    mkdir -p "lost"
    rm -f lost/*
    far_file db2 "$(between "$(basename lost)")"
    printf '%s "kind":"install"\n%s\n' "$1" "$2" >lost/trigger
    run r renew --yes
    true_that "$3: it happened" test -e lost/triggered
    true_that "$3: every connection works" every_app
    r history "$(r history --json | jq '.applies[0].apply')" --json >events.json
}

lose answer 'kill -9 $SESSION' "answer lost"
true_that "answer lost: it is asked again, seen to be done, and the renewal goes on" says '^exit 0$'
true_that "answer lost: nothing was begun twice" \
    test "$(jq '[.events[] | select(.state == "started") | .step] | length == (unique | length)' events.json)" = true
converged "answer lost"

lose request 'kill -9 $SESSION' "request lost"
true_that "request lost: it is asked again, seen not to be done, and not repeated blindly" \
    says 'carry_out: the connection was lost.*; asked again: it is not as it should be'
true_that "request lost: it stops" says '^exit 1$'
true_that "request lost: run again, it goes on" r renew --yes
converged "request lost"

lose answer "kill $sshd; kill -9 \$SESSION" "sshd killed"
true_that "sshd killed: what became of the step is not known" says 'UNKNOWN +install'
true_that "sshd killed: why it cannot be asked is said" says 'asked again: .*Connection refused'
true_that "sshd killed: it stops" says '^exit 1$'
true_that "sshd killed: the journal says so as well" test "$(lasts uncertain)" = 1
sshd_up
run r renew --yes
true_that "sshd killed: run again when it is back, it goes on" says '^exit 0$'
converged "sshd killed"
