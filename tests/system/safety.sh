# What must stop a renewal before anything is touched, and what must not stop it.
# Covers preflight.c, look.c and seen.c.
. "$TESTS/cluster.sh"

in_cluster() { sed -i "$1" "$lab/cluster.yaml"; }
lab_of() { "$RESEAL" -f "$lab/cluster.yaml" --state "$lab/reseal" "$@"; }
root() { [ "$(id -u)" -eq 0 ]; }
skip() { echo "# skipped as a user who is not root: $1"; }

on expiring

# ---- refused, one after the other on one cluster that none of them changes ----

mv "$lab/db3/data/postgresql.conf" kept.conf
run r check
true_that "a node that cannot be looked into is reported" says 'critical +db3: '
refused "it is refused, naming the file" 'db3.*postgresql.conf' lab_of renew --yes
true_that "its way around is the next command" says 'next: .* renew --without db3'
as_owner db3 cp kept.conf "$lab/db3/data/postgresql.conf" 2>/dev/null ||
    cat kept.conf >"$lab/db3/data/postgresql.conf"
chmod --reference=kept.conf "$lab/db3/data/postgresql.conf"
chown --reference=kept.conf "$lab/db3/data/postgresql.conf" 2>/dev/null

if root; then
    chown root "$lab/db2/tls/server.key"
    refused "a key that its service could not read is refused" \
        'db2/server: .*db2/tls/server.key cannot be read by user' lab_of renew --yes
    true_that "the next command shows it" says "next: ls -l '.*db2/tls/server.key'"
    chown --reference="$lab/db2/tls/server.crt" "$lab/db2/tls/server.key"

    cp -a "$lab/db2/tls" tls.kept
    before_down() { umount "$lab/db2/tls" 2>/dev/null; }
    if mount -t tmpfs -o size=64k,mode=700 none "$lab/db2/tls" 2>/dev/null; then
        chown --reference=tls.kept "$lab/db2/tls"
        cp -a tls.kept/. "$lab/db2/tls/"
        refused "a disk that is full is refused" 'db2/tls is full: .* left' lab_of renew --yes
        true_that "the next command shows it" says "next: df -h '.*db2/tls'"
        umount "$lab/db2/tls"
    else
        skip "a full disk (nothing can be mounted here)"
    fi
    before_down() { :; }
else
    skip "a key that its service cannot read, a full disk"
fi

cp "$lab/cluster.yaml" cluster.kept
echo wrong >wrong
in_cluster "s|ca/pass|$(pwd)/wrong|"
refused "a wrong passphrase of the issuer is refused" "issuer's key: .*ca/ca.key: the password does not open the key" lab_of renew --yes
true_that "the next command tries it" says 'next: openssl pkey -in .*ca/ca.key -noout'
in_cluster "s|passphrase: {file: [^}]*}|passphrase: {file: $(pwd)/absent}|"
refused "a passphrase that is not there is refused" 'absent: No such file' lab_of renew --yes
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 5 -subj '/CN=Short Root' 2>/dev/null
cp cluster.kept "$lab/cluster.yaml"
in_cluster "s|^issuer: .*|issuer: {certificate: $(pwd)/ca.pem, key: $(pwd)/ca.key}|"
refused "an issuer that ends too soon is refused" 'Short Root' lab_of renew --yes
openssl req -new -key ca.key -subj '/CN=Old Root' |
    openssl x509 -req -signkey ca.key -days -1 -out ca.pem 2>/dev/null
refused "an issuer that has ended is refused" 'Old Root.*(expired|ended)' lab_of renew --yes
true_that "the next command makes another" says 'next: reseal issuer create'
test_ca other
in_cluster "s|^issuer: .*|issuer: {certificate: $(pwd)/other.pem, key: $(pwd)/ca.key}|"
refused "an issuer's key that is not its own is refused" 'ca.key' lab_of renew --yes
cp cluster.kept "$lab/cluster.yaml"

# ---- reported, and no reason to stop ----

# Somebody who is not in the cluster file, with a certificate that the server accepts.
openssl req -new -newkey rsa:2048 -nodes -subj /CN=postgres -keyout guest.key -out guest.csr 2>/dev/null
openssl x509 -req -in guest.csr -CA "$lab/ca/ca.pem" -CAkey "$lab/ca/ca.key" -passin "file:$lab/ca/pass" \
    -CAcreateserial -days 90 -out guest.crt 2>/dev/null
chmod 600 guest.key
psql -XAtw "service=db1 user=postgres dbname=postgres sslcert=$PWD/guest.crt sslkey=$PWD/guest.key" \
    -c 'select pg_sleep(60)' >/dev/null 2>&1 &
guest=$!
guests() { [ "$(sql db1 "select count(*) from pg_stat_ssl join pg_stat_activity using (pid) where ssl and datname = 'postgres' and query like '%sleep(60)%'")" -ge 1 ]; }
true_that "a guest is connected" soon guests
run r check
true_that "a peer that nobody declared is reported" \
    says 'warning +db1/postgres: user postgres is connected from 127.0.0.1 with a certificate for postgres'
run r plan
true_that "the plan says so as well" says 'note: db1/postgres: user postgres is connected'

# A server that is down is renewed, and verified when it starts.
pg db3 stop
run r check
true_that "a server that is down is reported" says 'db3/postgres: '
contents >before
run r renew --yes
true_that "with one server down the rest is renewed" says '^exit 0$'
true_that "that a guest is there was said before" says 'note: db1/postgres: user postgres is connected'
true_that "so was that the server is down" says 'note: db3/postgres: '
true_that "it waits to be verified" says 'waiting +verify .*db3/postgres'
true_that "the guest was not thrown out" kill -0 "$guest"
pg db3 start
true_that "started, it presents the new certificate" test "$(served db3)" = "$(serial "$(server_file db3)")"
true_that "that is another than before" test "$(served db3)" != "$(serial "$lab/db3/tls/server.crt")"
true_that "and streams with the new one" soon streams_with db3 "$(upstream_file db3)"
sql db1 "select pg_terminate_backend(pid) from pg_stat_activity where query like '%sleep(60)%' and pid <> pg_backend_pid()" >/dev/null
wait "$guest"
true_that "check finds nothing" r check
