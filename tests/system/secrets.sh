# Keys and passphrases are nowhere but in key files and in the nodes' own folders.
# Covers worker.c, pending.c and material.c.
. "$TESTS/cluster.sh"

# ---- what must not be found, one pattern a line: every form of every key and passphrase ----

hex() { od -An -v -tx1 | tr -d ' \n'; }
# A secret inside of something longer that is base64 begins at one of three places.
base64_of() { # FILE
    for skip in '' x xx; do
        { printf %s "$skip"; cat "$1"; } | openssl base64 -A | cut -c5- | sed 's/......$//'
    done
}
bytes_of() { # FILE: hexadecimal, as strace writes it, base64
    hex <"$1"
    echo
    hex <"$1" | sed 's/../\\x&/g'
    echo
    base64_of "$1"
}
key_forms() { # FILE PASSWORD-FILE
    openssl pkey -in "$1" -passin "file:$2" -out key.pem 2>/dev/null &&
        openssl pkey -in key.pem -outform DER -out key.der || return
    # A key on a curve: what is in the lines after these two is public.
    sed -n '2,3p' key.pem
    bytes_of key.der
    # The private scalar alone.
    openssl pkey -in key.pem -noout -text | sed -n '/^priv:/,/^pub:/s/^ *\([0-9a-f:]*\)$/\1/p' |
        tr -d ':\n' | sed 's/^00//' >scalar.hex
    sed 's/../\\x&/g' scalar.hex | xargs -0 printf >scalar 2>/dev/null
    bytes_of scalar
}
secret_forms() { # FILE
    tr -d '\n' <"$1" >secret
    cat secret
    echo
    bytes_of secret
}
add_keys() {
    for key in "$lab"/db?/tls/*.key "$lab"/app/tls/*.key; do
        key_forms "$key" app.pass
    done
    key_forms "$lab/ca/ca.key" "$lab/ca/pass"
    for secret in "$lab/ca/pass" app.pass; do
        secret_forms "$secret"
    done
}
patterns() { add_keys | grep -E '.{12}' | sort -u >patterns; }
# clean NAME FILE...: none of it is in there.
clean() {
    name=$1
    shift
    if grep -alFf patterns -- "$@" >hits 2>/dev/null; then
        echo "not ok $name"
        sed 's/^/# /' hits
    else
        echo "ok $name"
    fi
}

# ---- a cluster with a key of each sort, and everything that is said while it is renewed ----

on expiring
printf 'a-passphrase-of-the-application\n' >app.pass
openssl pkey -in "$lab/app/tls/client.key" -aes256 -passout file:app.pass -out app.key
cat app.key >"$lab/app/tls/client.key"
sed -i "s|key: app/tls/client.key}|key: app/tls/client.key, password: {file: $(pwd)/app.pass}}|" "$lab/cluster.yaml"
patterns
true_that "the search finds what it looks for" sh -c 'grep -qFf patterns "$0/db2/tls/server.key" && grep -qFf patterns app.pass' "$lab"
openssl pkey -in "$lab/db1/tls/server.key" -outform DER -out db1.der
for form in 'hex <db1.der' '{ printf ab; cat db1.der; } | openssl base64 -A' \
    '{ printf a; cat app.pass; } | openssl base64 -A' "dd if=db1.der bs=1 skip=7 count=32 2>/dev/null | hex"; do
    eval "$form" >shown
    true_that "as $form too" grep -qFf patterns shown
done

# What is on the command lines and in the environments, looked at all the time.
while :; do
    for process in $(pgrep -f "$lab" 2>/dev/null); do
        [ "$process" = $$ ] || cat "/proc/$process/cmdline" "/proc/$process/environ" 2>/dev/null
    done
    sleep 0.1
done >processes 2>/dev/null &
sampler=$!
before_down() { kill "$sampler" 2>/dev/null; }

mkdir said
out() { # NAME COMMAND...
    name=$1
    shift
    "$@" >"said/$name.out" 2>"said/$name.err" </dev/null
}
out check r check
out plan r plan --json
out plan-out r plan --out said/plan.json -v
sed "s|ca/pass|$(pwd)/app.pass|" "$lab/cluster.yaml" >"$lab/wrong.yaml"
out wrong "$RESEAL" -f "$lab/wrong.yaml" --state "$lab/reseal" renew --yes
out inspect "$RESEAL" inspect "$lab/db1/tls" "$lab/app/tls" "$lab/ca" --json
# What goes between the coordinator and its workers, which are traced by their own program's eyes.
out traced strace -f -qq -o said/strace -x -s 100000 -yy -e trace=sendto,recvfrom,sendmsg,write,read \
    "$RESEAL" -f "$lab/cluster.yaml" --state "$lab/reseal" renew --yes -v
grep -aE '(sendto|recvfrom|sendmsg|write|read)\([0-9]+<(UNIX|pipe|socket)' said/strace >said/strace.pipes
true_that "what goes between them was seen" grep -aq 'carry_out' said/strace.pipes
true_that "renew succeeds" grep -q '^done in' said/traced.out
cp patterns old.patterns
patterns
sort -u old.patterns patterns >all.patterns
mv all.patterns patterns
true_that "the application's new key is encrypted as the old one was" \
    grep -q ENCRYPTED "$(sed -n 's/^sslkey=//p' "$PGSERVICEFILE" | head -n 1)"
for node in db1 db2 db3 app; do
    true_that "$node: no new key waits in reseal's folder any more" \
        not ls "$lab/reseal/$node/node/pending/"*.key
done
out history r history 1 --json
out back r rollback --yes --json
true_that "rollback succeeds" jq -e '.outcome == "done"' said/back.out
out again r renew --yes --json
true_that "renew succeeds again" jq -e '.outcome == "done"' said/again.out
patterns
sort -u old.patterns patterns >all.patterns
mv all.patterns patterns
kill "$sampler"
wait "$sampler" 2>/dev/null

# A worker's core is never written, and its memory is nobody else's: what is in /proc of a process
# that cannot be dumped belongs to root, whoever runs it.
cp "$RESEAL" program
mkfifo to
as_owner db1 "$(pwd)/program" node --state /nowhere <to >/dev/null 2>&1 &
shell=$!
exec 9>to
is_there() {
    worker=$(cat "/proc/$shell/task/$shell/children")
    worker=${worker% }
    [ -n "$worker" ] && grep -q program "/proc/$worker/comm"
}
true_that "a worker runs" soon is_there
echo '{"id":1,"op":"hello"}' >&9
no_core() { grep -Eq '^Max core file size +0 +0 ' "/proc/$worker/limits"; }
not_dumpable() { [ "$(stat -c %U "/proc/$worker/environ")" = root ]; }
true_that "a worker writes no core" soon no_core
true_that "a worker cannot be dumped" soon not_dumpable
true_that "it is not root whom it runs as" test "$(sed -n 's/^Uid:\t\([0-9]*\).*/\1/p' "/proc/$worker/status")" -ne 0
exec 9>&-
wait "$shell"

# ---- looked for ----

clean "no output, plan or error has a secret" said/*.out said/*.err said/plan.json
clean "nothing between coordinator and workers has" said/strace.pipes
clean "no argument list and no environment has" processes
true_that "there were processes to look at" grep -aq 'node' processes
clean "the journal has none" "$lab/reseal/journal.sqlite"*
find "$lab/reseal" -type f ! -path '*/snapshots/*' ! -path '*/pending/*' >files
clean "nor has anything else in reseal's folder" $(cat files)
true_that "what a node keeps is its owner's alone" \
    test -z "$(find "$lab/reseal" \( -type d ! -perm 700 -o -type f ! -perm 600 \) -print)"
clean "nor has a server's log" "$lab"/db?/log
clean "nor the ledger of the issuer" "$lab/ca/ledger.jsonl"
