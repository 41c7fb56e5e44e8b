# The watcher that load tests judge by (tests/watcher.c): it counts what is good, and tells a refusal
# of TLS from one of TCP, also one that comes late; against openssl's own server.
. "$TESTS/lib.sh"
trap 'kill $servers $watcher 2>/dev/null' EXIT
servers='' watcher=''
test_ca one
test_ca two
test_leaf one server
test_leaf one client
test_leaf two other
serve() { exec openssl s_server -accept "127.0.0.1:$port" -cert server.crt -key server.key -CAfile one.pem "$@" -quiet; }
start() { # start NAME OPTION...: a server on a port of its own, in $NAME
    name=$1
    shift
    on_free_port serve "$@" || echo "not ok a server starts"
    servers="$servers $server"
    eval "$name=$port $name""_pid=$server"
}
# Whole answers come from files in this folder.
printf 'HTTP/1.0 200 ok\r\n\r\n' >page
printf 'HTTP/1.0 503 not now\r\n\r\n' >unwell
start web -HTTP -Verify 3 -verify_return_error
start other -HTTP -Verify 3 -verify_return_error
base="host=127.0.0.1 verify=127.0.0.1"
printf '[a]\nsslcert = wrong\n[b]\nsslkey = %s\nsslcert=%s\n' "$PWD/client.key" "$PWD/client.crt" >services
cat >targets <<T
name=good port=$web $base ca=one.pem cert=client.crt key=client.key say=http:/page
name=looked-up port=$web $base ca=one.pem cert=@services:[b]:sslcert key=@services:[b]:sslkey say=http:/page
name=late port=$web $base ca=one.pem cert=other.crt key=other.key say=http:/page
name=none port=$web $base ca=one.pem say=http:/page
name=anchor port=$web $base ca=two.pem cert=client.crt key=client.key say=http:/page
name=name port=$web host=127.0.0.1 verify=elsewhere.example ca=one.pem cert=client.crt key=client.key say=http:/page
name=answer port=$web $base ca=one.pem cert=client.crt key=client.key say=http:/unwell
name=pair port=$web $base ca=one.pem cert=client.crt key=other.key say=http:/page
name=gone port=$other $base ca=one.pem cert=client.crt key=client.key say=http:/page
T
"$(dirname "$RESEAL")/watcher" targets 2 200 >seen &
watcher=$!
seen() { jq -se "$1" seen; }
until_seen() { # NAME FILTER: true at last
    for try in $(seq 300); do
        seen "$2" >/dev/null 2>&1 && break
        sleep 0.1
    done
    true_that "$1" seen "$2"
}
until_seen "good connections are counted" 'map(.handshakes // 0) | max > 20'
kill $other_pid
until_seen "a server that is gone refuses TCP" 'any(.target == "gone" and .failed == "tcp")'
cp server.crt server.old
test_leaf one server
kill $web_pid
wait $web_pid 2>/dev/null
port=$web
serve -HTTP -Verify 3 -verify_return_error >server.out 2>&1 &
servers="$servers $!"
serial=$(openssl x509 -noout -serial -in server.crt | sed 's/.*=//')
until_seen "another certificate is told once it is shown" "any(.target == \"good\" and .serial == \"$serial\")"
kill -TERM $watcher
wait $watcher
true_that "it ends on a signal, with totals" seen '.[-1].totals | length == 9'
of() { seen ".[-1].totals[] | select(.target == \"$1\") | $2"; }
true_that "a good target has no refusal of TLS" of good '.good > 10 and .tls == 0 and .answer == 0 and .own == 0'
true_that "files may be looked up in a configuration" of looked-up '.good > 10 and .tls == 0 and .own == 0'
for name in late none anchor name; do
    true_that "$name: refused by TLS, always" of $name '.good == 0 and .tls > 10'
done
true_that "an answer that is no 200 is told apart" of answer '.good == 0 and .tls == 0 and .answer > 10'
true_that "so is a pair that does not match" of pair '.good == 0 and .tls == 0 and .own > 10'
true_that "what failed is told with its time and why" seen \
    'map(select(.target == "anchor" and .failed == "tls")) | length > 10 and all((.text | test("certificate")) and .at > 1600000000000)'
true_that "the CAs that are asked for are told" seen 'any(.target == "good" and .acceptable == ["/CN=one"])'
