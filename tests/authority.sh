# authority.sh - a company's CA that signs by ticket: openssl with an issuing CA below a root.
# Sourced: . "$TESTS/authority.sh". Needs $lab; requests are in $lab/requests.

# authority: authority/ with root.pem, sub.pem and chain.pem (both, the issuing CA first).
authority() {
    rm -rf authority
    mkdir -p authority/issued
    : >authority/index.txt
    echo 01 >authority/serial
    cat >authority/ca.cnf <<'X'
[ca]
default_ca = sub
[sub]
dir = authority
database = authority/index.txt
serial = authority/serial
new_certs_dir = authority/issued
certificate = authority/sub.pem
private_key = authority/sub.key
default_md = sha256
default_days = 200
unique_subject = no
copy_extensions = copy
policy = anything
x509_extensions = leaf
[anything]
commonName = supplied
organizationName = optional
[leaf]
basicConstraints = critical,CA:FALSE
authorityKeyIdentifier = keyid
[above]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign,cRLSign
subjectKeyIdentifier = hash
[dn]
[req]
distinguished_name = dn
X
    openssl req -x509 -config authority/ca.cnf -extensions above -newkey rsa:2048 -nodes -days 3650 \
        -subj '/CN=Company Root' -keyout authority/root.key -out authority/root.pem 2>/dev/null
    openssl req -new -config authority/ca.cnf -newkey rsa:2048 -nodes -subj '/CN=Company Issuing CA' \
        -keyout authority/sub.key -out authority/sub.csr 2>/dev/null
    openssl x509 -req -in authority/sub.csr -CA authority/root.pem -CAkey authority/root.key \
        -CAcreateserial -days 3000 -extfile authority/ca.cnf -extensions above -out authority/sub.pem 2>/dev/null
    cat authority/sub.pem authority/root.pem >authority/chain.pem
}

# asks_authority: the lab's cluster is signed for by it from now on.
asks_authority() {
    cp authority/chain.pem "$lab/company.pem"
    sed -i 's|^issuer:.*|issuer: {kind: csr, directory: requests, certificate: company.pem}|' \
        "$lab/cluster.yaml"
}

# request NODE STORE: the request's file, without its ending.
request() { for file in "$lab/requests/$1-$2"-*.csr; do printf '%s\n' "${file%.csr}"; done; }
requests() { for file in "$lab"/requests/*.csr; do [ -e "$file" ] && printf '%s\n' "${file%.csr}"; done; }

# signs REQUEST FILE [OPTION...]: the authority signs it as it asks; only the certificate is in FILE.
signs() {
    in=$1.csr out=$2
    shift 2
    openssl ca -batch -notext -config authority/ca.cnf -in "$in" -out "$out" "$@" 2>ca.err || cat ca.err
}
# signs_other REQUEST FILE EXTENSIONS [OPTION...]: not what it asks for, but this.
signs_other() {
    in=$1.csr out=$2
    printf '%s\n' "$3" >other.ext
    shift 3
    openssl x509 -req -in "$in" -CA authority/sub.pem -CAkey authority/sub.key -CAcreateserial \
        -days 200 -extfile other.ext -out "$out" "$@" 2>ca.err || cat ca.err
}
# signs_all: every request has its answer beside it.
signs_all() { for name in $(requests); do signs "$name" "$name.crt"; done; }

# fresh STATE [OPTION...]: as `on`, which finds only what it made itself.
fresh() {
    rm -rf "$lab/requests" "$lab/company.pem"
    on "$@"
}

# ---- what the tests of waiting share ----

keys() { find "$lab/reseal" -path '*/pending/*.key'; }
spkis() { # of the keys that wait
    for key in $(keys | sort); do openssl pkey -in "$key" -pubout; done
}
blur() {
    sed -i -E "s|$lab|LAB|g; s/-[0-9a-f]{8}/-STEP/g; s/sha256:[0-9a-f]{8,64}/sha256:HASH/g; s/until [0-9-]{10}/until DATE/g
        s/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}Z/TIME/g; s/done in [0-9.]+ seconds/done in SECONDS/" "${1:-out}"
}
ran() {
    run "$@"
    sed -i '1,/^proof:/d' out
    blur
}
