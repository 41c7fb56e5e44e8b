# A cluster renewed while it is used: a sample of `make load`.
"$TESTS/load" "$RESEAL" 2000 new-second
