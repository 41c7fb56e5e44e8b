# A node answers each line, bad ones too, and keeps its state to itself.
. "$TESTS/lib.sh"
printf '{"id":1,"op":"lease_read","cluster":"c1"}\nnonsense\n' | "$RESEAL" node --state here >answers
same "every line is answered" answers <<'X'
{"id":1,"ok":true,"token":0,"holder":null,"host":"","machine":"","pid":0,"started":""}
{"id":0,"ok":false,"error":{"kind":"ERR_FORMAT","text":"no JSON at byte 8: '[' or '{' expected near 'nonsense'","where":null,"next":null}}
X
stat -c %a here/node >mode
same "its folder is the owner's alone" mode <<'X'
700
X
run "$RESEAL" node ../elsewhere
same "a name that would leave the usual place is refused" out <<'X'
reseal: "../elsewhere" is not a node's name
exit 2
X
