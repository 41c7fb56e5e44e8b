# reseal inspect: the same facts as openssl gives, from files, folders and standard input.
. "$TESTS/lib.sh"

blur() {
    sed -i -E 's/[0-9]{4}-[0-9]{2}-[0-9]{2}/YYYY-MM-DD/g; s/sha256:[0-9a-f]{8}/sha256:DIGITS/g' out
}
ca() { # ca NAME DAYS [CN]
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout "$1.key" -out "$1.crt" \
        -days "$2" -subj "/CN=${3:-$1}" -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
}
leaf() { # leaf NAME DAYS
    openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/O=Orders/CN=$1" \
        -addext "subjectAltName=DNS:$1" 2>/dev/null
    printf 'subjectAltName=DNS:%s,IP:127.0.0.1\nkeyUsage=critical,digitalSignature\nextendedKeyUsage=serverAuth,clientAuth\n' "$1" >ext
    openssl x509 -req -in "$1.csr" -CA root.crt -CAkey root.key -set_serial 0x0abc -days "$2" \
        -extfile ext -out "$1.crt" 2>/dev/null
}
ca root 3650
leaf db1 400
leaf db2 10
leaf other 400
rm ext

run "$RESEAL" inspect db1.crt db1.key root.crt db1.csr
blur
same "certificates, keys and requests in one table" out <<'X'
WHERE       KIND     KEY       UNTIL       SUBJECT          NAMES
db1.crt:1   trusted  RSA 2048  YYYY-MM-DD  CN=db1,O=Orders  DNS:db1,IP:127.0.0.1
db1.key:1   key      RSA       -           -                -
root.crt:1  trusted  EC 256    YYYY-MM-DD  CN=root          -
db1.csr:1   request  RSA 2048  -           CN=db1,O=Orders  DNS:db1
exit 0
X

run "$RESEAL" inspect db2.crt
sed -i 's/in [0-9]* days/SOON/' out
blur
same "a certificate that ends soon is a warning" out <<'X'
WHERE      KIND     KEY       UNTIL       SUBJECT          NAMES
db2.crt:1  trusted  RSA 2048  YYYY-MM-DD  CN=db2,O=Orders  DNS:db2,IP:127.0.0.1

warning expiring db2.crt:1: CN=db2 (sha256:DIGITS, until YYYY-MM-DD) ends SOON
exit 1
X
run "$RESEAL" inspect --warn 5d db2.crt
true_that "how soon is for the user to say" grep -qx 'exit 0' out

run "$RESEAL" inspect --json db1.crt
digest=$(openssl x509 -in db1.crt -outform der | sha256sum | cut -d' ' -f1)
spki=$(openssl pkey -in db1.key -pubout -outform der | sha256sum | cut -d' ' -f1)
from=$(date -u -d "$(openssl x509 -in db1.crt -noout -startdate | cut -d= -f2)" +%Y-%m-%dT%H:%M:%SZ)
until=$(date -u -d "$(openssl x509 -in db1.crt -noout -enddate | cut -d= -f2)" +%Y-%m-%dT%H:%M:%SZ)
same "the JSON has what openssl reads" out <<X
{
  "certificates": [
    {
      "source": "db1.crt",
      "alias": "1",
      "kind": "trusted",
      "subject": "CN=db1,O=Orders",
      "issuer": "CN=root",
      "serial": "0abc",
      "not_before": "$from",
      "not_after": "$until",
      "key": {
        "type": "RSA",
        "bits": 2048
      },
      "signature_algorithm": "ecdsa-with-SHA256",
      "san": [
        "DNS:db1",
        "IP:127.0.0.1"
      ],
      "key_usage": [
        "digitalSignature"
      ],
      "extended_key_usage": [
        "serverAuth",
        "clientAuth"
      ],
      "ca": false,
      "sha256": "$digest",
      "spki_sha256": "$spki"
    }
  ],
  "findings": []
}
exit 0
X

run "$RESEAL" inspect --match db1.crt root.crt db1.key
same "a key and its certificate match" out <<'X'
db1.key: the key is that of CN=db1,O=Orders in db1.crt
exit 0
X
run "$RESEAL" inspect --match db1.crt other.key
same "a foreign key does not" out <<'X'
other.key: no certificate given is for this key
exit 1
X
run "$RESEAL" inspect --match db1.crt
same "without a key there is no match" out <<'X'
exit 1
X

openssl pkcs8 -topk8 -in db1.key -out locked.key -passout pass:sesame
echo sesame >right
echo other >wrong
run "$RESEAL" inspect --match db1.crt locked.key
same "a locked key asks for its password" out <<'X'
locked.key: the key is locked, its password is needed
exit 1
X
run "$RESEAL" inspect --match --password-file right db1.crt locked.key
same "with it the key matches" out <<'X'
locked.key: the key is that of CN=db1,O=Orders in db1.crt
exit 0
X
run "$RESEAL" inspect --password-file wrong locked.key
same "a wrong password is a finding" out <<'X'
WHERE         KIND  KEY        UNTIL  SUBJECT  NAMES
locked.key:1  key   encrypted  -      -        -

critical keystore_password_wrong locked.key:1: the password does not open the key
exit 1
X

mkdir -p tree/below
cp root.crt tree/below/b.pem
cat db1.crt db1.key >tree/a.pem
chmod 600 tree/a.pem
echo 'not a certificate' >tree/README
ln -s .. tree/below/up
run "$RESEAL" inspect tree
blur
same "a folder is read with all below it, other files are passed over" out <<'X'
WHERE               KIND     KEY       UNTIL       SUBJECT          NAMES
tree/a.pem:1        key      RSA 2048  YYYY-MM-DD  CN=db1,O=Orders  DNS:db1,IP:127.0.0.1
tree/below/b.pem:1  trusted  EC 256    YYYY-MM-DD  CN=root          -
exit 0
X
run "$RESEAL" inspect tree/README
same "a file that was named and is no store is a finding" out <<'X'
critical keystore_format tree/README: neither PEM nor DER, from byte 0 on
exit 1
X
run "$RESEAL" inspect nothing.pem
same "a file that is not there" out <<'X'
critical keystore_unreadable nothing.pem: No such file or directory
exit 3
X

openssl x509 -in root.crt -outform der -out root.der
run "$RESEAL" inspect --pem root.der
{ openssl x509 -in root.crt; echo exit 0; } >want
same "DER becomes PEM" out <want
"$RESEAL" inspect --pem - <root.der >out
same "standard input is read" out <root.crt

port=$((20000 + $$ % 20000))
openssl s_server -accept "127.0.0.1:$port" -cert db1.crt -key db1.key -quiet >/dev/null 2>&1 </dev/null &
server=$!
tries=0
until run "$RESEAL" inspect "127.0.0.1:$port" && grep -q endpoint out || [ "$tries" -ge 50 ]; do
    tries=$((tries + 1))
    sleep 0.1
done
kill "$server"
blur
sed -i "s/$port/PPPPP/" out
same "an endpoint shows what it presents" out <<'X'
WHERE              KIND      KEY       UNTIL       SUBJECT          NAMES
127.0.0.1:PPPPP:1  endpoint  RSA 2048  YYYY-MM-DD  CN=db1,O=Orders  DNS:db1,IP:127.0.0.1
exit 0
X
run "$RESEAL" inspect "127.0.0.1:$port"
sed -i "s/$port/PPPPP/" out
same "an endpoint that does not answer" out <<'X'
warning service_down 127.0.0.1:PPPPP: Connection refused
exit 3
X
