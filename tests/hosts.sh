# hosts.sh - two hosts of the tests' own, in namespaces: each with its own network, name, processes,
# machine-id, /etc/hosts, /var/lib and sshd; a PostgreSQL primary on a, its standby on b. The
# coordinator and an application are on a third one, ctl. Sourced after lib.sh.
#
#     a/ b/           data, run, tls, log; var (its /var/lib); etc; ssh (its host key)
#     ctl/            ca, tls, state, cluster.yaml, pg_service.conf, ssh (key, known_hosts, config)
#     between/        what happens at b between requests: tests/between
#
# They are made and started here, and end with the script. hosts_up starts them as they were made.
# Where there are no namespaces the script is skipped.
[ "$(id -u)" -eq 0 ] || {
    sudo -n true 2>/dev/null || {
        echo "skip two hosts: only root may make network namespaces, and there is no sudo without a password"
        exit 0
    }
    exec sudo -n env "TESTS=$TESTS" "RESEAL=$RESEAL" "UBSAN_OPTIONS=${UBSAN_OPTIONS:-}" \
        "OWNER=$(id -u):$(id -g)" sh "$0"
}
net=reseal-$$
w=$(pwd)
pg_bin=$(dirname "$(ls /usr/lib/postgresql/*/bin/pg_ctl | tail -n 1)")
PGSERVICEFILE=$w/ctl/pg_service.conf PGCONNECT_TIMEOUT=5 LC_ALL=C
export PGSERVICEFILE PGCONNECT_TIMEOUT LC_ALL
address_of() { case $1 in ctl) echo 10.97.0.1 ;; a) echo 10.97.0.2 ;; b) echo 10.97.0.3 ;; esac; }
in_net() { # in_net HOST COMMAND...: with that host's network
    where=$net-$1
    shift
    ip netns exec "$where" "$@"
}
as_postgres() { setpriv --reuid postgres --regid postgres --init-groups "$@"; }
r() { in_net ctl "$RESEAL" -f "$w/ctl/cluster.yaml" --state "$w/ctl/state" "$@"; }
not() { ! "$@"; }
says() { grep -qE -e "$1" out; } # the last `run` printed this
soon() { # soon COMMAND...: it comes true, at last
    for try in $(seq 150); do
        "$@" && return 0
        sleep 0.2
    done
    return 1
}

# ---- the network: a switch in ctl, a cable to each host ----

network_up() {
    unshare --uts --mount --ipc --pid --fork --mount-proc true || return 1
    ip netns add "$net-ctl" && in_net ctl ip link set lo up && in_net ctl ip link add lan type bridge &&
        in_net ctl ip addr add "$(address_of ctl)/24" dev lan && in_net ctl ip link set lan up || return 1
    for host in a b; do
        ip netns add "$net-$host" &&
            in_net ctl ip link add "to-$host" type veth peer name eth0 netns "$net-$host" &&
            in_net ctl ip link set "to-$host" master lan up && in_net "$host" ip link set lo up &&
            in_net "$host" ip addr add "$(address_of "$host")/24" dev eth0 && cable "$host" up || return 1
    done
}
network_down() { for host in a b ctl; do ip netns del "$net-$host" 2>/dev/null; done; }
cable() { in_net "$1" ip link set eth0 "$2"; } # cable HOST up|down

# ---- what is on them ----

leaf() { # leaf STEM COMMON_NAME: issued by the CA, ends in ten days
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -subj "/CN=$2" \
        -out leaf.csr 2>/dev/null
    printf 'subjectAltName = DNS:%s\nbasicConstraints = CA:FALSE\n' "$2" >leaf.ext
    openssl x509 -req -in leaf.csr -CA ctl/ca/ca.pem -CAkey ctl/ca/ca.key -CAcreateserial -days 10 \
        -extfile leaf.ext -out "$1.crt" 2>/dev/null
}

make_host() {
    host=$1
    mkdir -p "$host/etc" "$host/var" "$host/ssh" "$host/run" "$host/tls"
    printf '127.0.0.1 localhost\n%s hosta.example\n%s hostb.example\n' "$(address_of a)" "$(address_of b)" >"$host/etc/hosts"
    tr -d - </proc/sys/kernel/random/uuid >"$host/etc/machine-id"
    ssh-keygen -q -t ed25519 -N '' -f "$host/ssh/host"
    cp ctl/ssh/user.pub "$host/ssh/authorized"
    cat >"$host/ssh/sshd_config" <<X
ListenAddress $(address_of "$host")
HostKey $w/$host/ssh/host
AuthorizedKeysFile $w/$host/ssh/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
SetEnv "PATH=$(dirname "$RESEAL"):$PATH"
X
    echo "$(address_of "$host") $(cut -d' ' -f1,2 "$host/ssh/host.pub")" >>ctl/ssh/known
    leaf "$host/tls/server" "host$host.example"
    leaf "$host/tls/client" postgres
    cp ctl/ca/ca.pem "$host/tls/ca.crt"
    : >"$host/log"
    chown -R postgres: "$host/tls" "$host/run" "$host/log"
}

make_primary() {
    install -d -o postgres a/data
    as_postgres "$pg_bin/initdb" -D "$w/a/data" -N --auth=peer -U postgres >initdb.out 2>&1 || return 1
    cat >a/data/postgresql.conf <<X
listen_addresses = '*'
unix_socket_directories = '$w/a/run'
ssl = on
ssl_cert_file = '$w/a/tls/server.crt'
ssl_key_file = '$w/a/tls/server.key'
ssl_ca_file = '$w/a/tls/ca.crt'
fsync = off
wal_receiver_timeout = 5s
wal_sender_timeout = 5s
wal_retrieve_retry_interval = 500ms
X
    cat >a/data/pg_hba.conf <<X
local   all         all                   peer
hostssl replication postgres 10.97.0.0/24 cert
hostssl all         postgres 10.97.0.0/24 cert
hostssl all         app      10.97.0.0/24 cert
X
}

# From the primary, over TLS, as a standby is made.
make_standby() {
    to="host=hosta.example port=5432 user=postgres sslmode=verify-full application_name=b sslcert=$w/b/tls/client.crt sslkey=$w/b/tls/client.key sslrootcert=$w/b/tls/ca.crt"
    sql a "create role app login" && sql a "create database app owner app" || return 1
    install -d -o postgres -m 700 b/data
    in_net b setpriv --reuid postgres --regid postgres --init-groups "$pg_bin/pg_basebackup" -c fast -D "$w/b/data" -d "$to hostaddr=$(address_of a)" || return 1
    touch b/data/standby.signal
    sed -i "s#$w/a/#$w/b/#" b/data/postgresql.conf
    echo "primary_conninfo = '$to'" >>b/data/postgresql.conf
    chown postgres: b/data/standby.signal
}

# The cluster as it is declared; b's program: tests/between, so that something can happen there.
declare_cluster() {
    cat >ctl/cluster.yaml <<X
cluster: two
id: 6d1a2c04-0a51-4b5c-8f0e-0c6a7a7a7a7a
ssh_config: ssh/config
issuer: {certificate: ca/ca.pem, key: ca/ca.key}
nodes:
  a: {reach: "ssh://root@$(address_of a)", system: postgresql, data: $w/a/data, socket: $w/a/run, run_as: postgres}
  b:
    reach: ssh://root@$(address_of b)
    program: [$TESTS/between, $w/between, reseal]
    system: postgresql
    data: $w/b/data
    socket: $w/b/run
    run_as: postgres
  app:
    state: app
    stores:
      client: {certificate: tls/app.crt, key: tls/app.key}
      trust: {certificates: tls/ca.crt}
    services:
      app: {identities: [{store: client}], trust: [trust], reference: pg_service.conf}
links:
  - {from: app/app, to: a/postgres, name: hosta.example, identity: client, trust: trust, verify: full, user: app}
  - {from: app/app, to: b/postgres, name: hostb.example, identity: client, trust: trust, verify: full, user: app}
X
    for host in a b; do
        printf '[%s]\nhost=host%s.example\nhostaddr=%s\nport=5432\ndbname=app\nuser=app\nsslmode=verify-full\nsslcert=%s\nsslkey=%s\nsslrootcert=%s\n\n' \
            "$host" "$host" "$(address_of "$host")" "$w/ctl/tls/app.crt" "$w/ctl/tls/app.key" "$w/ctl/tls/ca.crt"
    done >ctl/pg_service.conf
}

# As process 1 of a host: what is started when it starts.
cat >boot <<X
hostname "host\$1"
mount --bind "$w/\$1/etc/hosts" /etc/hosts
[ ! -e /etc/machine-id ] || mount --bind "$w/\$1/etc/machine-id" /etc/machine-id
mount --bind "$w/\$1/var" /var/lib
mount -t tmpfs none /run && mkdir /run/sshd
rm -f "$w/\$1/data/postmaster.pid"
[ ! -e "$w/\$1/data/PG_VERSION" ] ||
    setpriv --reuid postgres --regid postgres --init-groups "$pg_bin/pg_ctl" -D "$w/\$1/data" -l "$w/\$1/log" -w start
exec /usr/sbin/sshd -D -e -f "$w/\$1/ssh/sshd_config"
X
listens() { in_net "$1" grep -q ":$(printf %04X "$2") .* 0A " /proc/net/tcp; }
start_host() {
    ip netns exec "$net-$1" unshare --uts --mount --ipc --pid --fork --kill-child --mount-proc \
        sh "$w/boot" "$1" >>"$1.boot" 2>&1 </dev/null &
    eval "pid_$1=$!"
    soon listens "$1" 22
}
pull_plug() { # pull_plug HOST: all its processes are gone at once
    eval "outer=\$pid_$1 pid_$1="
    [ -n "$outer" ] || return 0
    inner=$(pgrep -P "$outer")
    kill -9 "$outer"
    wait "$outer" 2>/dev/null
    while [ -n "$inner" ] && kill -0 "$inner" 2>/dev/null; do sleep 0.05; done
}
pid_a= pid_b=

# ---- as a whole ----

hosts_made() {
    mkdir -p ctl/ca ctl/tls ctl/ssh between
    ssh-keygen -q -t ed25519 -N '' -f ctl/ssh/user
    printf 'IdentityFile %s\nIdentitiesOnly yes\nUserKnownHostsFile %s\nGlobalKnownHostsFile /dev/null\n' \
        "$w/ctl/ssh/user" "$w/ctl/ssh/known" >ctl/ssh/config
    (cd ctl/ca && test_ca ca)
    cp ctl/ca/ca.pem ctl/tls/ca.crt
    leaf ctl/tls/app app
    make_host a && make_host b && make_primary && start_host a && make_standby && start_host b || return 1
    declare_cluster
    soon streams || return 1
    pull_plug b
    sql a checkpoint
    pull_plug a
    for host in a b ctl; do cp -a "$host" "$host.made"; done
}
hosts_up() {
    pull_plug b
    pull_plug a
    cable b up
    for host in a b ctl; do
        rm -rf "$host"
        cp -a "$host.made" "$host"
    done
    rm -f between/*
    start_host a && start_host b && soon streams
}
hosts_over() {
    pull_plug b
    pull_plug a
    network_down
    [ -z "${OWNER:-}" ] || chown -R "$OWNER" "$w"
}

# ---- what is seen ----

sql() { as_postgres psql -XAtw -h "$w/$1/run" -U postgres -d postgres -c "$2"; }
streams() { [ "$(sql a "select count(*) from pg_stat_replication where state = 'streaming'" 2>/dev/null)" = 1 ]; }
app() { in_net ctl psql -XAtw "service=$1" -c 'select current_user' >psql.out 2>&1 && grep -qx app psql.out; }
every_app() { app a && app b; }
serial() { openssl x509 -noout -serial -in "$1" | sed 's/.*=//'; }
served() { # the serial that a new connection from ctl to this host is shown
    in_net ctl openssl s_client -starttls postgres -connect "$(address_of "$1"):5432" </dev/null 2>/dev/null |
        openssl x509 -noout -serial | sed 's/.*=//'
}
stored() { sql "$1" 'show ssl_cert_file'; }
upstream() { sql b 'show primary_conninfo' | sed -n "s/.*sslcert=\([^ ]*\).*/\1/p"; }
streams_with() { # streams_with FILE: the primary sees the standby with this certificate
    seen=$(sql a "select client_serial from pg_stat_ssl join pg_stat_replication using (pid) where state = 'streaming'" 2>/dev/null)
    [ "$seen" = "$(python3 -c 'import sys; print(int(sys.argv[1], 16))' "$(serial "$1")")" ]
}
issued() { cat ctl/ca/ledger.jsonl 2>/dev/null | wc -l; }
contents() { # of every file that a change could touch
    find ctl/ca ctl/tls ctl/pg_service.conf a/tls b/tls a/data/*.conf b/data/*.conf -type f \
        -exec stat -c '%n %U %a' {} + -exec sha256sum {} + | sort
}
refused() { # refused NAME PATTERN COMMAND...: exit 1, these words, and not a byte is another
    name=$1 pattern=$2
    shift 2
    contents >before
    run "$@"
    contents >after
    true_that "$name" eval "grep -qx 'exit 1' out && grep -qE -e \"\$pattern\" out && cmp before after"
}

# works NAME: what worked before works. whole NAME: a renewal is at its end, and nothing was done twice.
works() {
    true_that "$1: the application connects to both" every_app
    true_that "$1: the standby streams" soon streams
}
whole() {
    works "$1"
    for host in a b; do
        true_that "$1: $host presents a new certificate, the one that its settings name" \
            eval "[ \"$(served $host)\" = \"$(serial "$(stored $host)")\" ] && [ \"$(served $host)\" != \"$(serial "$host.made/tls/server.crt")\" ]"
    done
    true_that "$1: the standby streams with what its settings name" eval 'soon streams_with "$(upstream)"'
    true_that "$1: four certificates were issued, none of them twice" test "$(issued)" = 4
    true_that "$1: check finds nothing" r check
}

# happens WHEN TEXT COMMAND: at b, before the request that holds TEXT, instead of it or of its answer.
# between_at_a: there, and not at b.
between_at_a() {
    sed -i "s#^  a: {#&program: [$TESTS/between, $w/between, reseal], #; /^    program:/d" ctl/cluster.yaml
}
happens() { printf '%s %s\n%s\n' "$1" "$2" "$3" >between/trigger; }

trap hosts_over EXIT
trap 'exit 1' HUP INT TERM
network_up 2>network.out || {
    echo "skip two hosts: network namespaces are not allowed here: $(tail -n 1 network.out)"
    exit 0
}
true_that "two hosts are made" hosts_made
[ -e ctl.made ] || exit 1
true_that "they start" hosts_up
