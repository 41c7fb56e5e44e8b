# A cluster file made from real servers, judged and planned with. Covers discover.c.
. "$TESTS/lib.sh"
lab=$(pwd)/lab
trap '"$RESEAL" lab down --dir "$lab" >/dev/null 2>&1' EXIT
"$RESEAL" lab up postgresql --dir "$lab" --state expiring >up.out 2>&1 || cat up.out

"$RESEAL" discover "$lab/db1/data" "$lab/db2/data" "$lab/db3/data" --name found >cluster.yaml
true_that "three servers are discovered" test "$?" -eq 0
"$RESEAL" discover >again.yaml
true_that "discovering again changes nothing" cmp cluster.yaml again.yaml
"$RESEAL" check --json >check.json
true_that "both standbys' links are found and judged on the wire" \
    jq -e '[.links[] | [.from, .to, .verdict, .basis]] == [["db2/postgres", "db1/postgres", "ok", "wire"], ["db3/postgres", "db1/postgres", "ok", "wire"]]' check.json
true_that "the file names what the driver found" grep -q 'sslkey\|upstream' cluster.yaml

run "$RESEAL" discover /none
same "a folder that is not there is named" out <<'X'
reseal: /none: No such file or directory
exit 1
X
mkdir empty
run "$RESEAL" discover empty
true_that "a folder without a server says which file is missing" grep -q 'postgresql.conf: No such file' out
true_that "and fails" grep -qx 'exit 2' out
