# lib.sh - what the whole-program tests share. Sourced: . "$TESTS/lib.sh"

# same NAME FILE: standard input is the whole output that FILE must hold.
same() {
    cat >want.$$
    if cmp -s want.$$ "$2"; then
        echo "ok $1"
    else
        echo "not ok $1"
        diff -u want.$$ "$2" | sed 's/^/# /'
    fi
    rm -f want.$$
}

# true_that NAME COMMAND...: the command succeeds.
true_that() {
    name=$1
    shift
    if "$@" >true.$$ 2>&1; then
        echo "ok $name"
    else
        echo "not ok $name"
        sed 's/^/# /' true.$$
    fi
    rm -f true.$$
}

# jq that fails where it is asked about nothing: with -e, jq 1.6 calls an empty file a success.
jq() {
    case $1 in
        -e | -es | -se) said=$(command jq "$@") && [ -n "$said" ] && printf '%s\n' "$said" ;;
        *) command jq "$@" ;;
    esac
}

# run COMMAND...: output, errors and exit code into the file `out`, the program's path as "reseal".
run() {
    "$@" >out 2>&1 </dev/null
    echo "exit $?" >>out
    # A path with a space in it is quoted where it is to be pasted.
    sed -i "s|'$RESEAL'|reseal|g; s|$RESEAL|reseal|g" out
}

# on_free_port COMMAND...: COMMAND in the background, with a free port of loopback in $port, once it
# listens there. Its pid is in $server (a function ends in exec), its output in server.out.
on_free_port() {
    for try in 1 2 3 4 5 6 7 8 9 10; do
        port=$((20000 + ($$ * 7 + try * 131) % 30000))
        listening "$port" && continue
        "$@" >server.out 2>&1 </dev/null &
        server=$!
        for wait in $(seq 100); do
            listening "$port" && return 0
            kill -0 "$server" 2>/dev/null || break
            sleep 0.1
        done
        kill "$server" 2>/dev/null
    done
    cat server.out
    return 1
}
listening() { grep -q ":$(printf %04X "$1") .* 0A " /proc/net/tcp; }

# test_ca NAME: NAME.pem and NAME.key of a CA.
test_ca() {
    openssl req -x509 -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.pem" -days 3650 \
        -subj "/CN=$1" 2>/dev/null
}

# test_leaf CA NAME: NAME.crt and NAME.key, for 127.0.0.1, issued by CA for a year.
test_leaf() {
    openssl req -newkey rsa:2048 -nodes -keyout "$2.key" -out "$2.csr" -subj "/CN=$2" 2>/dev/null
    echo 'subjectAltName = IP:127.0.0.1' >"$2.ext"
    openssl x509 -req -in "$2.csr" -CA "$1.pem" -CAkey "$1.key" -CAcreateserial -days 365 \
        -extfile "$2.ext" -out "$2.crt" 2>/dev/null
}

# presents PROTOCOL: what openssl is shown at $port is in the file `out`, by its fingerprint.
presents() {
    shown=$(openssl s_client -starttls "$1" -connect "127.0.0.1:$port" </dev/null 2>/dev/null |
        openssl x509 -noout -fingerprint -sha256 | sed 's/.*=//; s/://g' | tr A-F a-f)
    [ ${#shown} -eq 64 ] && grep -qF "sha256:$shown" out
}
