# The practice cluster, looked at with PostgreSQL's and openssl's own clients. Covers lab.c.
. "$TESTS/lib.sh"
dir="$PWD/a lab"
trap '"$RESEAL" lab down --dir "$dir" >/dev/null 2>&1' EXIT
PGSERVICEFILE="$dir/app/pg_service.conf" PGCONNECT_TIMEOUT=5
export PGSERVICEFILE PGCONNECT_TIMEOUT

app() { psql -XAtw "service=$1" -c 'select current_user' >psql.out 2>&1; }
status() { "$RESEAL" lab status --json --dir "$dir" | jq -e "$1"; }
served() { # the serial that a new connection to port $1 is shown
    openssl s_client -starttls postgres -connect "127.0.0.1:$1" </dev/null 2>/dev/null |
        openssl x509 -noout -serial
}
loaded() { # whether node $1 presents what it has on disk
    port=$("$RESEAL" lab status --json --dir "$dir" | jq ".nodes[] | select(.name == \"$1\").port")
    [ "$(served "$port")" = "$(openssl x509 -noout -serial -in "$dir/$1/tls/server.crt")" ]
}
not() { ! "$@"; }
# A process that has ended may wait for its new parent to take notice: a zombie, with no command.
gone() { [ -z "$(tr -d '\0' <"/proc/$1/cmdline" 2>/dev/null)" ]; }
down() {
    pids=$("$RESEAL" lab status --json --dir "$dir" | jq '.nodes[].pid')
    true_that "$1: down succeeds" "$RESEAL" lab down --dir "$dir"
    true_that "$1: down leaves no folder" test ! -e "$dir"
    for pid in $pids; do
        true_that "$1: down leaves no process" gone "$pid"
    done
}

true_that "healthy: up" "$RESEAL" lab up postgresql --dir "$dir"
true_that "healthy: both standbys stream over TLS" status \
    '.nodes[0].streams | length == 2 and all(.state == "streaming" and (.tls | startswith("TLS")))'
true_that "healthy: the client connects to every node" eval 'app db1 && app db2 && app db3'
true_that "up on a lab is refused" not "$RESEAL" lab up postgresql --dir "$dir"
down healthy

true_that "expired: up" "$RESEAL" lab up postgresql --state expired --dir "$dir"
true_that "expired: the servers run and nothing streams" status \
    '(.nodes | all(.running)) and .nodes[0].streams == [] and .nodes[1].receiver != "streaming"'
true_that "expired: the client is refused" not app db1
true_that "expired: because of the certificate" grep -E 'certificate (verify failed|expired)' psql.out
true_that "expired: a standby's log says that it is refused" \
    grep -Eq 'certificate (verify failed|expired)' "$dir/db2/log"
down expired

true_that "half-renewed: up" "$RESEAL" lab up postgresql --state half-renewed --dir "$dir"
soon=$(($(date +%s) + 30 * 86400))
true_that "half-renewed: db1 and db3 have a new certificate on disk, db2 has not" status \
    "[.nodes[].certificates[0].not_after | fromdateiso8601 > $soon] == [true, false, true]"
true_that "half-renewed: db1 has loaded it" loaded db1
true_that "half-renewed: db3 has not" not loaded db3
down half-renewed
true_that "down without a lab is refused" not "$RESEAL" lab down --dir "$dir"
