# A new root for a cluster of which nothing runs, and which is too large to be read name by name.
# Covers waves.c and planning.c.
. "$TESTS/lib.sh"

for part in old new; do
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout $part.key -out $part.pem \
        -subj "/CN=$part root" -days 3650 -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null
done
openssl ecparam -name prime256v1 -genkey -noout -out leaf.key
chmod 600 ./*.key
{
    echo 'cluster: many'
    echo 'issuer: {kind: local, certificate: new.pem, key: new.key}'
    echo 'nodes:'
    for n in $(seq 14); do
        openssl req -new -key leaf.key -subj "/CN=n$n" |
            openssl x509 -req -CA old.pem -CAkey old.key -days 60 -out n$n.crt 2>/dev/null
        cp leaf.key n$n.key
        cp old.pem n$n.pem
        echo "  n$n:"
        echo '    stores:'
        echo "      trust: {certificates: n$n.pem}"
        echo "      server: {certificate: n$n.crt, key: n$n.key}"
        echo '    services:'
        echo "      web: {listen: '127.0.0.1:1', protocol: tls, identities: [{store: server}], trust: [trust],"
        echo '            client_auth: required, load: {identity: reload, trust: reload}, refresh: ["true"]}'
    done
    echo 'links:'
    for n in $(seq 2 14); do
        echo "  - {from: n$n/web, to: n1/web, verify: ca, identity: server, trust: trust}"
    done
} >cluster.yaml
run "$RESEAL" --state state plan --new-issuer
sed -i 's/ [0-9a-f]\{8\}\b/ ########/g' out # fingerprints
same "a large plan is one page" out <<'X'
many: 141 steps in 62 waves

now
      presents  old root  n1/web ########, n2/web ########, n3/web ########, n4/web ########,
                          n5/web ########, n6/web ########, n7/web ########, n8/web ########,
                          n9/web ########, n10/web ########, n11/web ########, n12/web ########,
                          n13/web ########, n14/web ########
      trusts    old root  n1/web, n2/web, n3/web, n4/web, n5/web, n6/web, n7/web, n8/web, n9/web,
                          n10/web, n11/web, n12/web, n13/web, n14/web
t0  save what will be changed: 28 steps, 13 states judged
    snapshot  28: n1/trust, n2/trust, n3/trust, n4/trust, and 24 more
t1  get the certificates: 14 steps
    issue     14: n1/server, n2/server, n3/server, n4/server, and 10 more
t2  put anchors into trust stores: 14 steps, 52 states judged
    trust     14: n1/trust, n2/trust, n3/trust, n4/trust, and 10 more
    then
      trusts    old root (stored: old root, new root)
                  all 14
t3 to t16  load the new anchors: 14 steps, 78 states judged
    refresh   14: n2/web, n1/web, n3/web, n4/web, and 10 more
    halfway, after t9
      trusts    old root (stored: old root, new root)
                                    7: n8/web, n9/web, n10/web, n11/web, and 3 more
                old root, new root  7: n1/web, n2/web, n3/web, n4/web, and 3 more
    then
      trusts    old root, new root  all 14
t17 to t44  change certificates: 28 steps, 104 states judged
    install   14: n2/server, n1/server, n3/server, n4/server, and 10 more
    refresh   14: n2/web, n1/web, n3/web, n4/web, and 10 more
    halfway, after t30
      presents  old root  7: n8/web ########, n9/web ########, n10/web ########, n11/web ########,
                          and 3 more
                new root  7: n1/web new, n2/web new, n3/web new, n4/web new, and 3 more
    then
      presents  new root  all 14
t45  wait: 1 step
    hold      wait until nobody presents what CN=old root vouches for
t46  take anchors out of trust stores: 14 steps, 52 states judged
    distrust  14: n1/trust, n2/trust, n3/trust, n4/trust, and 10 more
    then
      trusts    old root, new root (stored: new root)
                  all 14
t47 to t60  let go of the old anchors: 14 steps, 78 states judged
    refresh   14: n2/web, n1/web, n3/web, n4/web, and 10 more
    halfway, after t53
      trusts    old root, new root (stored: new root)
                          7: n8/web, n9/web, n10/web, n11/web, and 3 more
                new root  7: n1/web, n2/web, n3/web, n4/web, and 3 more
    then
      trusts    new root  all 14
t61  look at every connection on the wire: 14 steps
    verify    14: n2/web, n1/web, n3/web, n4/web, and 10 more
in full: reseal --state state plan --new-issuer --wave all   (or the number of one wave)

what changes in the certificates:
  14 certificates: n1/server, n2/server, n3/server, n4/server, and 10 more (--json shows all)
    issuer: CN=old root -> CN=new root
    lifetime: 60 days -> 90 days

proof: no working link breaks in 377 judged states; 0 links do not work at the end
note: n1/web: 127.0.0.1:1: Connection refused
note: n2/web: 127.0.0.1:1: Connection refused
note: n3/web: 127.0.0.1:1: Connection refused
note: n4/web: 127.0.0.1:1: Connection refused
note: n5/web: 127.0.0.1:1: Connection refused
note: n6/web: 127.0.0.1:1: Connection refused
note: n7/web: 127.0.0.1:1: Connection refused
note: n8/web: 127.0.0.1:1: Connection refused
note: n9/web: 127.0.0.1:1: Connection refused
note: n10/web: 127.0.0.1:1: Connection refused
note: n11/web: 127.0.0.1:1: Connection refused
note: n12/web: 127.0.0.1:1: Connection refused
note: service_down: 2 more, see reseal --state state check

next: reseal --state state renew --new-issuer
exit 10
X
run "$RESEAL" --state state plan --new-issuer --wave all
true_that "in full nobody is left out" sh -c '! grep -E "[0-9] more" out && grep -q "^ *issue .* n14/server$" out'
