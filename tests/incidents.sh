# incidents.sh - what the incidents share. Sourced: . "$TESTS/incidents.sh"
#
# An incident is a file in tests/incidents/ with two functions: `state` makes the cluster as it was
# that day, in the current folder, with the words of the first half of this file; `holds` types
# commands of reseal and says what must be true of their answers, with those of the second half.
. "$TESTS/lib.sh"

# ---- the cluster: who presents what, trusts what, loads how

# at DAYS: that many days from now, as `openssl ca` wants it.
at() { date -u -d "$1 days" +%Y%m%d%H%M%SZ; }

# signed FILE BY CN FROM TO EXTENSIONS: FILE.crt for FILE.key, which is made if it is not there, by
# BY.crt (FILE itself: self-signed), from and until so many days from now.
signed() {
    [ -e "$1.key" ] || openssl ecparam -genkey -name prime256v1 -noout -out "$1.key"
    chmod 600 "$1.key"
    openssl req -new -key "$1.key" -out csr -subj "/CN=$3"
    printf '%s\n' '[ca]' default_ca=us '[us]' database=index new_certs_dir=. rand_serial=yes \
        default_md=sha256 policy=any x509_extensions=ext unique_subject=no '[any]' \
        commonName=supplied '[ext]' "$6" subjectKeyIdentifier=hash >conf
    : >index
    if [ "$1" = "$2" ]; then set -- "$@" -selfsign -keyfile "$1.key"; else
        set -- "$@" -cert "$2.crt" -keyfile "$2.key"
    fi
    start=$(at "$4") end=$(at "$5") file=$1
    shift 6
    openssl ca -batch -config conf -in csr -out "$file.crt" -notext -startdate "$start" \
        -enddate "$end" "$@" 2>/dev/null
    find . -maxdepth 1 -name '[0-9A-F]*.pem' -delete
    rm -f csr conf index*
}

# root FILE [CN [FROM [TO]]]; between FILE BY [CN [FROM [TO]]]: an intermediate;
# leaf FILE BY [CN [FROM [TO]]]: for whatever a peer does, found by the name CN.
root() { signed "$1" "$1" "${2:-$1}" "${3:--400}" "${4:-3650}" 'basicConstraints=critical,CA:TRUE'; }
between() { signed "$1" "$2" "${3:-$1}" "${4:--100}" "${5:-1000}" 'basicConstraints=critical,CA:TRUE'; }
leaf() {
    signed "$1" "$2" "${3:-$1}" "${4:--80}" "${5:-60}" "basicConstraints=CA:FALSE
subjectAltName=DNS:${3:-$1},DNS:localhost
extendedKeyUsage=serverAuth,clientAuth"
}

# client NAME "CA [FROM [TO]]" "ROOT..." [YAML...]: a machine with one service, `app`, that has
# NAME/tls.crt by CA ("": none) and trusts the roots in NAME/ca.pem ("": nobody). YAML: more of the
# service. server: it is nginx, which loads what is stored when it is told to. restarted: it is
# openssl's server, which loads at its start alone. Each asks for certificates if it trusts anybody.
client() {
    mkdir -p "$1"
    name=$1 by=$2 trusts=$3
    shift 3
    stores='' service=''
    if [ -n "$by" ]; then
        leaf "$name/tls" "${by%% *}" "$name" $(echo "$by" | cut -d' ' -f2- -s)
        stores="tls: {certificate: $name/tls.crt, key: $name/tls.key}, "
        service="identities: [{store: tls}], "
    fi
    if [ -n "$trusts" ]; then
        bundle "$name/ca.pem" $trusts
        stores="${stores}ca: {certificates: $name/ca.pem}"
        service="${service}trust: [ca], "
    fi
    for more; do service="$service$more, "; done
    declare_node "$name" "{state: $PWD/$name/state, stores: {${stores%, }}, services: {app: {${service%, }}}}"
}
server() { listens nginx reload "$@"; }
restarted() { listens openssl_server restart "$@"; }
listens() { # listens PROGRAM LOAD NAME BY TRUSTS [YAML...]
    program=$1 load=$2
    shift 2
    listen "$1"
    [ -z "$3" ] || set -- "$@" "client_auth: required"
    client "$@" "listen: \"127.0.0.1:$port\", protocol: tls" "refresh: [sh, $PWD/$1/refresh]" \
        "load: {identity: $load, trust: $load}"
    "$program" "$name" "$port"
}
listen() { # the next free port is in $port
    last=${last:-20000}
    port=$((last + 1))
    while listening "$port"; do port=$((port + 1)); done
    last=$port
}
nginx() { # nginx NAME PORT
    cat >"$1/conf" <<X
daemon on;
pid $PWD/$1/pid;
error_log $PWD/$1/log;
$([ "$(id -u)" != 0 ] || echo 'user root;')
events {}
http {
    access_log off;
    client_body_temp_path $PWD/$1/t; proxy_temp_path $PWD/$1/t; fastcgi_temp_path $PWD/$1/t;
    uwsgi_temp_path $PWD/$1/t; scgi_temp_path $PWD/$1/t;
    server {
        listen 127.0.0.1:$2 ssl;
        ssl_certificate $PWD/$1/tls.crt; ssl_certificate_key $PWD/$1/tls.key;
        $([ ! -e "$1/ca.pem" ] || echo "ssl_verify_client on; ssl_verify_depth 9; ssl_client_certificate $PWD/$1/ca.pem;")
        return 200 ok;
    }
}
X
    echo "exec /usr/sbin/nginx -e '$PWD/$1/log' -c '$PWD/$1/conf'" >"$1/start"
    echo "exec /usr/sbin/nginx -e '$PWD/$1/log' -c '$PWD/$1/conf' -s reload" >"$1/refresh"
}
openssl_server() { # openssl_server NAME PORT
    cat >"$1/refresh" <<X
cd '$PWD/$1' || exit 1
if [ -e pid ]; then
    kill "\$(cat pid)" 2>/dev/null
    while kill -0 "\$(cat pid)" 2>/dev/null; do sleep 0.02; done
fi
: >log
setsid openssl s_server -accept 127.0.0.1:$2 -cert tls.crt -key tls.key -cert_chain tls.crt \\
    $([ ! -e "$1/ca.pem" ] || echo "-CAfile ca.pem -Verify 9 -verify_return_error") -www >log 2>&1 </dev/null &
echo \$! >pid
for try in \$(seq 200); do
    grep -q ACCEPT log && exit 0
    sleep 0.02
done
exit 1
X
    cp "$1/refresh" "$1/start"
}
start() { # start NAME: with what is stored now
    sh "$1/start" || echo "# $1 does not start"
    echo "kill \$(cat '$PWD/$1/pid') 2>/dev/null" >>stop
}
# pinned NAME cert|key FILE...: a client that trusts no root: it remembers these certificates, or
# their keys, in NAME/known.
pinned() {
    mkdir -p "$1"
    name=$1 what=$2
    shift 2
    for one; do pin "$what" "$one"; done >"$name/known"
    declare_node "$name" "{state: $PWD/$name/state, stores: {known: {format: pins, path: $name/known}}, services: {app: {pins: [known]}}}"
}
pin() { # pin cert|key FILE
    case $1 in
    cert) echo "cert:sha256:$(openssl x509 -in "$2.crt" -outform der | openssl sha256 -r | cut -d' ' -f1)" ;;
    key)
        printf 'sha256//'
        openssl x509 -in "$2.crt" -noout -pubkey | openssl pkey -pubin -outform der |
            openssl dgst -sha256 -binary | openssl base64
        ;;
    esac
}
declare_node() { echo "  $1: $2" >>nodes.part; } # declare_node NAME YAML
bundle() { # bundle FILE ROOT...
    file=$1
    shift
    for anchor; do cat "$anchor.crt"; done >"$file"
}
# link FROM TO...: FROM connects to each with what it has, asks for it by its name and verifies all.
link() {
    from=$1
    shift
    own=
    [ ! -e "$from/tls.crt" ] || own=", identity: tls"
    for to; do echo "  - {from: $from/app, to: $to/app, name: $to, verify: full$own}" >>links.part; done
}
mesh() { for one; do for two; do [ "$one" = "$two" ] || link "$one" "$two"; done; done; }

# issuer FILE [POLICY]: what signs from now on. It writes cluster.yaml and starts what does not run.
issuer() {
    {
        echo "cluster: incident"
        echo "issuer: {certificate: $1.crt, key: $1.key}"
        [ -z "${2:-}" ] || echo "policy: {$2}"
        echo "nodes:"
        cat nodes.part
        echo "links:"
        cat links.part
        [ ! -e more.part ] || cat more.part
    } >cluster.yaml
    rm -f ./*.part
    for one in */start; do [ -e "${one%start}pid" ] || [ ! -e "$one" ] || start "${one%/start}"; done
}

# postgresql STATE: the lab's three servers with their application in that state, in place of all that.
postgresql() {
    "${RESEAL:-reseal}" lab up postgresql --dir "$PWD/lab" --state "$1" >up.out 2>&1 || cat up.out
    echo "'${RESEAL:-reseal}' lab down --dir '$PWD/lab'" >stop
    cd lab || exit 1
}

# ---- what must hold

# typed COMMAND...: as a reader types it in this folder; its output in `out`, its answer as JSON in
# `answer`. What is typed is kept, for the page.
typed() {
    echo "reseal $*" >>"$typed"
    case $1 in
    check | plan) "$RESEAL" --state state "$@" --json >answer 2>/dev/null </dev/null ;;
    esac
    run "$RESEAL" --state state "$@"
}
asked() { [ -s answer ] && jq "$@"; } # jq is content with no input at all
holds_that() { # holds_that NAME COMMAND...
    name=$incident:\ $1
    shift
    if "$@" >why 2>&1; then echo "ok $name"; else
        echo "not ok $name"
        sed 's/^/# /' why out
    fi
}
exits() { holds_that "it exits with $1" grep -qx "exit $1" out; }
says() { holds_that "it says \"$1\"" grep -qE -e "$1" out; }
silent() { holds_that "it does not say \"$1\"" sh -c '! grep -qE -e "$1" out' sh "$1"; }
# broken FROM TO CAUSE; works FROM TO: the links between two nodes; finds CODE WHERE
broken() {
    holds_that "$1 -> $2 is broken: $3" asked -e --arg from "$1" --arg to "$2" --arg cause "$3" \
        'any(.links[]; (.from | startswith($from + "/")) and (.to | startswith($to + "/")) and .verdict == "broken" and .cause == $cause)' answer
}
works() {
    holds_that "$1 -> $2 works" asked -e --arg from "$1" --arg to "$2" \
        'any(.links[]; (.from | startswith($from + "/")) and (.to | startswith($to + "/")) and .verdict != "broken")' answer
}
finds() {
    holds_that "$1 is found at $2" asked -e --arg code "$1" --arg where "$2" \
        'any(.findings[]; .code == $code and .where == $where)' answer
}
# A step is named "KIND NODE/STORE" or "KIND NODE/SERVICE", as a regular expression.
named='def named: "\(.kind) \(.node)/\(if (.store // "") == "" then .service else .store end)"; '
waves=$named'(.steps | map({key: .id, value: named}) | from_entries) as $ids
    | def waves($re): [.proof.waves | to_entries[] | .key as $w | .value.steps[] | $ids[.] | select(test("^(" + $re + ")$")) | $w]; '
has() {
    holds_that "the plan has: $1" asked -e --arg a "$1" "$named"'any(.steps[]; named | test("^(" + $a + ")$"))' answer
}
count() { # count N STEP
    holds_that "the plan has $1 of: $2" asked -e --argjson n "$1" --arg a "$2" \
        "$named"'[.steps[] | named | select(test("^(" + $a + ")$"))] | length == $n' answer
}
# before A B: each A is in an earlier wave than each B, and there are both.
before() {
    holds_that "$1 comes before $2" asked -e --arg a "$1" --arg b "$2" "$waves"'
        waves($a) as $x | waves($b) as $y | ($x | length) > 0 and ($y | length) > 0 and ($x | max) < ($y | min)' answer
}
# first A B: an A is in an earlier wave than any B, and there are both.
first() {
    holds_that "first $1, then $2" asked -e --arg a "$1" --arg b "$2" "$waves"'
        waves($a) as $x | waves($b) as $y | ($x | length) > 0 and ($y | length) > 0 and ($x | min) < ($y | min)' answer
}
# breaks FROM TO DAYS: it works, and will not when so many days are over.
breaks() {
    holds_that "$1 -> $2 breaks within $3 days" asked -e --arg from "$1" --arg to "$2" \
        --arg by "$(date -u -d "$3 days" +%Y-%m-%dT%H:%M:%SZ)" \
        'any(.links[]; (.from | startswith($from + "/")) and (.to | startswith($to + "/")) and .verdict == "ok" and .breaks_at < $by)' answer
}
# mends: the plan's proof holds, and no link is broken at its end.
mends() {
    holds_that "the plan is proven and leaves no link broken" asked -e \
        '.proof.proven and .proof.unrepaired == []' answer
}
# renewed [OPTION...]: it is carried out, and then all is well and nothing is left to do.
renewed() {
    typed renew "$@" --yes
    holds_that "renew does it" grep -qx 'exit 0' out
    typed check
    holds_that "check is ok afterwards" asked -e '(.links | length) > 0 and all(.links[]; .verdict == "ok")' answer
    "$RESEAL" --state state plan --json >answer 2>/dev/null
    holds_that "nothing is left to do" asked -e '.steps == []' answer
}
# restarts NODE...: each is restarted, and the plan lists its links as an outage.
restarts() {
    for one; do
        holds_that "the restart of $one is an outage that the plan lists" asked -e --arg node "$one" \
            'any(.steps[]; .kind == "refresh" and .node == $node and .outage_kind == "restart" and (.outage | length) > 0)' answer
    done
}
one_at_a_time() {
    holds_that "no wave restarts two" asked -e '(.steps | map(select(.outage_kind == "restart").id)) as $restarts
        | all(.proof.waves[]; [.steps[] | select(IN($restarts[]))] | length < 2)' answer
}

# incident_at NUMBER: in an empty folder that is the current one.
incident_at() {
    incident=$1
    . "$TESTS/incidents/$1"
    state
}
