# Renewals and changes of root, one rolled back, on etcd and on nginx behind HAProxy, while every
# declared peer connects: a sample of `make watched`.
"$TESTS/watched" "$RESEAL" 1000 etcd-keep web
