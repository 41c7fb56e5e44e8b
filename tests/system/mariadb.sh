# `check HOST:PORT` against MariaDB's own server, with its system tables and nothing else in it.
. "$TESTS/lib.sh"
trap 'kill "$server" 2>/dev/null' EXIT
test_ca ca
test_ca other
test_leaf ca server
test_leaf ca client
test_leaf other stranger

statements() { printf '%s;\n' "$@"; } # what the server reads from files has one a line

mkdir -p data/mysql
mariadbd_here() {
    exec /usr/sbin/mariadbd --no-defaults --user="$(id -un)" --datadir="$PWD/data" \
        --skip-log-bin --skip-name-resolve --innodb-temp-data-file-path=ibtmp1:1M:autoextend "$@"
}
server() {
    mariadbd_here --bind-address=127.0.0.1 --port="$port" --socket=s \
        --pid-file=pid --init-file="$PWD/init.sql" "$@"
}
database() { on_free_port server "$@" || echo "not ok MariaDB starts"; }
end() { kill "$server"; wait "$server" 2>/dev/null; }
check() { run "$RESEAL" check "127.0.0.1:$port" -p mysql --ca ca.pem "$@"; }
(
    cd /usr/share/mysql || exit 1
    statements 'use mysql' 'set @auth_root_socket = null'
    cat mysql_system_tables.sql mysql_system_tables_data.sql
) >tables.sql
(mariadbd_here --bootstrap <tables.sql) >bootstrap.out 2>&1 || sed 's/^/# /' bootstrap.out

tls="--ssl-ca=$PWD/ca.pem --ssl-cert=$PWD/server.crt --ssl-key=$PWD/server.key"
statements "create user app@'127.0.0.1'" "create user strict@'127.0.0.1' require x509" >init.sql
database $tls
check --json
true_that "a database with TLS is ok" grep -q '"outcome": "accepted"' out
true_that "and presents what openssl sees" presents mysql
true_that "whoever it does not let in" grep -qF "accepts TLS but not the log-in: \\\"Access denied for user 'reseal'@" out
check --user app
true_that "an account that it knows gets an answer" grep -qF 'MySQL answers over this connection' out
check --user strict --cert client.crt --key client.key
true_that "as does one that must show a certificate and has it" grep -qF 'MySQL answers over this connection' out
check --user strict
true_that "without it, MariaDB's words are the same as for a wrong password" \
    grep -qF "log-in: \"Access denied for user 'strict'@" out
check --cert stranger.crt --key stranger.key
true_that "a certificate of a stranger is refused" grep -q client_ca_not_accepted out
run "$RESEAL" check "127.0.0.1:$port" -p mysql --ca other.pem
true_that "the wrong anchor does not accept it" grep -q issuer_unknown out
end

statements "delete from mysql.global_priv where Host = '127.0.0.1'" "flush privileges" >init.sql
database $tls
check
sed -i "s/127.0.0.1:$port/HOST:PORT/" out
same "a host that is not let in is told so before TLS" out <<'X'
HOST:PORT: broken: not a TLS fault (not_tls)
  MySQL: "Host '127.0.0.1' is not allowed to connect to this MariaDB server" (1130)

what to do: see the service's own log
exit 2
X
end

statements "create user app@'127.0.0.1'" >init.sql
database --skip-ssl
check
true_that "a database without TLS says so" grep -qE 'MySQL [0-9.]+-.* answers that TLS is switched off' out
end
