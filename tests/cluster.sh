# cluster.sh - what the tests on a practice cluster share. Sourced: . "$TESTS/cluster.sh"
# It sources lib.sh, and ends the lab of $lab when the script ends, however that happens.
. "$TESTS/lib.sh"
lab=$(pwd)/lab
PGSERVICEFILE=$lab/app/pg_service.conf PGCONNECT_TIMEOUT=5 LC_ALL=C
export PGSERVICEFILE PGCONNECT_TIMEOUT LC_ALL
trap 'before_down; "$RESEAL" lab down --dir "$lab" >/dev/null 2>&1' EXIT
trap 'exit 1' HUP INT TERM
first= # the coordinator that a test keeps, in a process group of its own
before_down() { # a script that must undo more before its lab can go says so here
    [ -z "$first" ] || kill -9 "-$first" 2>/dev/null
    first=
}

# on STATE [OPTION...]: a fresh lab in that state, what reseal remembers of it in $lab/reseal.
on() {
    state=$1
    shift
    before_down
    "$RESEAL" lab down --dir "$lab" >/dev/null 2>&1
    "$RESEAL" lab up postgresql --dir "$lab" --state "$state" "$@" >up.out 2>&1 || cat up.out
}
r() { "$RESEAL" -f "$lab/cluster.yaml" --state "$lab/reseal" "$@"; }
not() { ! "$@"; }
says() { grep -qE -e "$1" out; } # the last `run` printed this
port_of() { sed -n "/^  $1:/,/port:/s/^    port: //p" "$lab/cluster.yaml"; }

# sql NODE QUESTION: asked over the node's socket, as whoever may do everything.
sql() { psql -XAtw -h "$lab/$1/run" -p "$(port_of "$1")" -U postgres -d postgres -c "$2"; }
# app NODE: the application connects with what its service file names.
app() { psql -XAtw "service=$1" -c 'select current_user' >psql.out 2>&1 && grep -qx app psql.out; }
every_app() { app db1 && app db2 && app db3; }

serial() { openssl x509 -noout -serial -in "$1" | sed 's/.*=//'; }
spki() { openssl x509 -noout -pubkey -in "$1" | openssl sha256; }
served() { # the serial that a new connection to node $1 is shown
    openssl s_client -starttls postgres -connect "127.0.0.1:$(port_of "$1")" </dev/null 2>/dev/null |
        openssl x509 -noout -serial | sed 's/.*=//'
}
server_file() { sql "$1" 'show ssl_cert_file'; }
upstream_file() { sql "$1" 'show primary_conninfo' | sed -n "s/.*sslcert=\([^ ]*\).*/\1/p"; }
app_file() { sed -n 's/^sslcert=//p' "$PGSERVICEFILE" | sort -u; }

# streams_with NODE FILE: the primary sees the standby stream over TLS with this certificate. The
# server gives the serial number in decimal, openssl in hexadecimal.
streams_with() {
    [ "$(sql db1 "select client_serial = (select sum(('x0' || substr(h, length(h) - i + 1, 1))::bit(8)::int * 16::numeric ^ (i - 1)) from (values ('$(serial "$2")')) v (h), generate_series(1, length(h)) i) from pg_stat_ssl join pg_stat_replication using (pid) where state = 'streaming' and application_name = '$1'")" = t ]
}
# soon COMMAND...: it comes true, at last.
soon() {
    for try in $(seq 100); do
        "$@" && return 0
        sleep 0.2
    done
    return 1
}

# pg NODE COMMAND: pg_ctl of the lab's node, as its user.
pg() {
    set -- "$1" "$2" "$(pg_config --bindir 2>/dev/null || dirname "$(ls /usr/lib/postgresql/*/bin/pg_ctl | tail -n 1)")/pg_ctl"
    as_owner "$1" "$3" -D "$lab/$1/data" -l "$lab/$1/log" -w -m fast "$2" >/dev/null 2>&1
}
# as_owner NODE COMMAND...: as the user of the node's server.
as_owner() {
    user=$(stat -c %U "$lab/$1/data")
    shift
    if [ "$(id -un)" = "$user" ]; then "$@"; else setpriv --reuid "$user" --regid "$(id -g "$user")" --init-groups "$@"; fi
}

# contents: bytes, owner and mode of every file that a change could touch. What the servers write by
# themselves is left out, and so are leases and the journal, which even a refusal may write.
contents() {
    (cd "$lab" && find . \( -path './db?/data/*' ! -name '*.conf' -o -name log \
        -o -path './db?/run/*' -o -path '*/leases' -o -name 'journal.*' \) -prune -o -type f \
        -exec stat -c '%n %U:%G %a' {} + -exec sha256sum {} + | sort)
}
# refused NAME PATTERN COMMAND...: exit 1, these words, and not a byte of the lab is another.
refused() {
    name=$1 pattern=$2
    shift 2
    contents >before
    run "$@"
    contents >after
    if grep -qx 'exit 1' out && grep -qE -e "$pattern" out && cmp -s before after; then
        echo "ok $name"
    else
        echo "not ok $name"
        sed 's/^/# /' out
        diff before after | sed 's/^/# /'
    fi
}

# remember: the lab's files as they are now are in old/. renewed_everywhere NAME: everything presents
# and uses what is stored, and that is not what was remembered.
renewed_everywhere() {
    for node in db1 db2 db3; do
        file=$(server_file $node)
        true_that "$1: $node presents the certificate that its settings name" \
            test "$(served $node)" = "$(serial "$file")"
        true_that "$1: that is a new one" test "$(serial "$file")" != "$(serial "old/$node/tls/server.crt")"
    done
    for node in db2 db3; do
        file=$(upstream_file $node)
        true_that "$1: $node streams with the certificate that primary_conninfo names" \
            soon streams_with $node "$file"
        true_that "$1: that is a new one" test "$(serial "$file")" != "$(serial "old/$node/tls/client.crt")"
    done
    true_that "$1: the application connects to every node" every_app
    true_that "$1: check finds nothing" r check
}
remember() {
    rm -rf old
    for file in $(cd "$lab" && echo db?/tls/* app/tls/*); do
        mkdir -p "old/$(dirname "$file")"
        cp "$lab/$file" "old/$file"
    done
}
old_files_are_there() {
    for file in $(cd old && echo db?/tls/* app/tls/*); do
        cmp "old/$file" "$lab/$file" || return 1
    done
}

# converged NAME: a stopped renewal was gone on with to its end.
converged() {
    true_that "$1: the application connects to every node" every_app
    true_that "$1: both standbys stream with what they have stored" \
        eval 'soon streams_with db2 "$(upstream_file db2)" && soon streams_with db3 "$(upstream_file db3)"'
    true_that "$1: check finds nothing" r check
    r history --json >history.json
    jq '[.applies[] | select(.outcome != "nothing done")][0]' history.json >last.json
    true_that "$1: history says that it is done" jq -e '.outcome == "done"' last.json
    r history "$(jq .apply last.json)" --json >events.json
    true_that "$1: everything was verified" jq -e \
        '[.events[] | select(.state == "planned" and (.evidence | startswith("connect as")))] as $asked | [.events[] | select(.state == "verified") | .step] as $seen | ($asked | length) == 4 and all($asked[].step; IN($seen[]))' events.json
}

# begin COMMAND...: in the background as a group of its own, the coordinator's pid in $first.
begin() {
    setsid "$@" >first.out 2>&1 </dev/null &
    first=$!
}
taken() { grep -qs '"holder": *"[^"]*:'"$first"'"' "$lab"/reseal/*/node/leases/*.json; }
stopped() { grep -q '^State:.*[tT]' "/proc/$1/status"; }

# the_first_is_over NAME: let go on, it fails in clear words and changes nothing.
the_first_is_over() {
    contents >before
    kill -CONT "-$first"
    wait "$first"
    true_that "$1: it fails" test $? -eq 1
    contents >after
    true_that "$1: it has changed nothing" diff before after
    true_that "$1: it says why" grep -Eq 'token [0-9]+ (is stale|holds no lease)' first.out
    first=
}
