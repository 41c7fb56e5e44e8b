# nginx behind HAProxy: what `lab up web` makes, a renewal that HAProxy learns of through its admin
# socket, and what reseal makes of an expired one. The change of root is in watched.sh.
. "$TESTS/lib.sh"
lab=$PWD/lab
trap '"$RESEAL" lab down --dir "$lab" >/dev/null 2>&1' EXIT
trap 'exit 1' HUP INT TERM

on() {
    "$RESEAL" lab down --dir "$lab" >/dev/null 2>&1
    "$RESEAL" lab up web --dir "$lab" --state "$1" >up.out 2>&1 || cat up.out
}
r() { "$RESEAL" -f "$lab/cluster.yaml" --state "$lab/reseal" "$@"; }
# What differs from run to run: this folder, times, days that are about to end, fingerprints, ports, pids.
plain() {
    sed -i "s|$PWD|DIR|g; s/20..-..-..T..:..:..Z/TIME/g; s/sha256:[0-9a-f]*/sha256:…/g; s/port [0-9]*/port N/
        s/until 20..-..-../until DAY/; s/pid [0-9]*/pid N/; s/ends in 10 days/ends in 9 days/; s/[0-9]* states judged/N states judged/; s/[0-9]* judged states/N judged states/" out
}
# admin COMMAND: HAProxy's answer at its admin socket.
admin() {
    python3 - "$lab/lb/run/admin.sock" "$1" <<'P'
import socket, sys
with socket.socket(socket.AF_UNIX) as admin:
    admin.connect(sys.argv[1])
    admin.sendall(sys.argv[2].encode() + b"\n")
    while part := admin.recv(65536):
        sys.stdout.write(part.decode())
P
}
worker() { admin 'show info' | sed -n 's/^Pid: //p'; }
serial() { openssl x509 -noout -serial -in "$1" | sed 's/serial=0*//'; }
loaded() { admin "show ssl cert $lab/lb/tls/$1" | sed -n 's/^Serial: 0*//p'; }
answers() { curl -sS -K "$lab/app/curl.conf"; }

on expiring
run "$RESEAL" lab status --dir "$lab"
plain
same "lab status shows nginx and HAProxy, and the certificates that they use" out <<'S'
DIR/lab (made expiring); certificates as they are on disk
  web1  nginx, port N, pid N
      DIR/lab/web1/tls/server.crt  CN=web1.lab.example, ends in 9 days
  web2  nginx, port N, pid N
      DIR/lab/web2/tls/server.crt  CN=web2.lab.example, ends in 9 days
  lb  HAProxy, port N, pid N
      DIR/lab/lb/tls/front.pem  CN=lb.lab.example, ends in 9 days
      DIR/lab/lb/tls/back.pem  CN=lb, ends in 9 days
  app  a client
      DIR/lab/app/tls/client.crt  CN=app, ends in 9 days
exit 0
S
run r plan
plain
sed -i '/public_key:/d; s/ [0-9a-f]\{8\}\b/ ########/g' out
same "every key can be new: pairs in one file are replaced at once, the others beside the old" out <<'S'
lab: 25 steps in 9 waves

now
      presents  Reseal Lab Root  web1/nginx ########, web2/nginx ########,
                                 lb/haproxy:front ########, app/app ########,
                                 lb/haproxy:back ########
      trusts    Reseal Lab Root  web1/nginx, web2/nginx, lb/haproxy:clients, app/app,
                                 lb/haproxy:servers
t0  5 steps, N states judged
    snapshot  5: web1/server, web2/server, lb/front, app/client, lb/back
t1  5 steps
    issue     5: web1/server, web2/server, lb/front, app/client, lb/back
t2  3 steps, N states judged
    install   write the new web1/server beside the old
    install   write the new lb/front over the old
    install   write the new lb/back over the old
    then
      presents  Reseal Lab Root  lb/haproxy:front ######## (new stored),
                                 lb/haproxy:back ######## (new stored), and 3 as before
t3  1 step, N states judged
    switch    switch web1/server to the new files
    then
      presents  Reseal Lab Root  web1/nginx ######## (new stored), and 4 as before
t4  2 steps, N states judged
    refresh   load the stored certificate into web1/nginx
    refresh   load the stored certificate into lb/haproxy
    then
      presents  Reseal Lab Root  web1/nginx new, lb/haproxy:front new, lb/haproxy:back new,
                                 and 2 as before
t5  2 steps
    install   write the new web2/server beside the old
    install   write the new app/client beside the old
t6  2 steps, N states judged
    switch    switch web2/server to the new files
    switch    switch app/client to the new files
    then
      presents  Reseal Lab Root  web2/nginx ######## (new stored), app/app new, and 3 as before
t7  1 step, N states judged
    refresh   load the stored certificate into web2/nginx
    then
      presents  Reseal Lab Root  web2/nginx new, and 4 as before
t8  4 steps
    verify    connect as every peer of web1/nginx
    verify    connect as every peer of lb/haproxy
    verify    connect as every peer of web2/nginx
    verify    connect as every peer of app/app

what changes in the certificates:
  web1/server  CN=web1.lab.example
  web2/server  CN=web2.lab.example
  lb/front  CN=lb.lab.example
  app/client  CN=app
  lb/back  CN=lb

proof: no working link breaks in N judged states; 0 links do not work at the end

next: reseal -f DIR/lab/cluster.yaml --state DIR/lab/reseal renew
exit 10
S
before=$(worker)
run r renew --yes
true_that "they are renewed" grep -q 'seen on the wire$' out
true_that "by a HAProxy that was neither restarted nor reloaded" [ "$before" -gt 0 -a "$(worker)" = "$before" ]
true_that "and that has loaded what it shows to clients" [ "$(loaded front.pem)" = "$(serial "$lab/lb/tls/front.pem")" ]
true_that "and what it shows to nginx" [ "$(loaded back.pem)" = "$(serial "$lab/lb/tls/back.pem")" ]
true_that "a request goes through both" eval 'answers | grep -qx "web[12]"'

# Another root: HAProxy asks clients for it after a reload alone, which its master makes.
"$RESEAL" issuer create --certificate "$lab/ca/new.pem" --key "$lab/ca/new.key" --name 'New Root' \
    --passphrase-file "$lab/ca/pass" >/dev/null
sed -i 's#^issuer: .*#issuer: {kind: local, certificate: ca/new.pem, key: ca/new.key, passphrase: {file: ca/pass}}#' "$lab/cluster.yaml"
r plan --new-issuer --json >plan.json
true_that "a change of root has no outage" jq -e '(.steps | length) > 0 and all(.steps[]; .outage == [])' plan.json
master=$(cat "$lab/lb/pid")
run r renew --new-issuer --yes
true_that "the root is replaced" grep -q 'seen on the wire$' out
true_that "HAProxy has another worker" [ "$(worker)" -gt 0 -a "$(worker)" != "$before" ]
true_that "of the same master" kill -0 "$master"
for file in ca.crt servers.crt; do
    admin "show ssl ca-file $lab/lb/tls/$file" | sed -n 's/^Subject: //p' >cas
    same "it has the new root alone loaded of $file" cas <<'S'
/CN=New Root
S
done
run r rollback --yes
true_that "that is rolled back" grep -qx 'exit 0' out
true_that "and a request goes through both" eval 'answers | grep -qx "web[12]"'
admin "show ssl ca-file $lab/lb/tls/servers.crt" | sed -n 's/^Subject: //p' >cas
same "with the old root" cas <<'S'
/CN=Reseal Lab Root
S

on expired
true_that "expired: nobody is answered" eval '! answers'
run r renew --yes
true_that "expired: it is repaired" grep -qx 'exit 0' out
true_that "expired: and a request goes through both" eval 'answers | grep -qx "web[12]"'
