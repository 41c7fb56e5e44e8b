# A renewal and a change of root on etcd while every declared peer connects: a sample of `make watched`.
"$TESTS/watched" "$RESEAL" 1000 etcd-keep
