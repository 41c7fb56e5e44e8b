

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
