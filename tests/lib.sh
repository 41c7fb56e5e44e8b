# lib.sh - what the whole-program tests share. Sourced: . "$TESTS/lib.sh"

# same NAME FILE: standard input is the whole output that FILE must hold.
same() {
    cat >want.$$
    if cmp -s want.$$ "$2"; then
        echo "ok $1"
    else
        echo "not ok $1"
        diff -u want.$$ "$2" | sed 's/^/# /'
    fi
    rm -f want.$$
}

# true_that NAME COMMAND...: the command succeeds.
true_that() {
    name=$1
    shift
    if "$@" >true.$$ 2>&1; then
        echo "ok $name"
    else
        echo "not ok $name"
        sed 's/^/# /' true.$$
    fi
    rm -f true.$$
}

# run COMMAND...: output, errors and exit code into the file `out`, the program's path as "reseal".
run() {
    "$@" >out 2>&1 </dev/null
    echo "exit $?" >>out
    # A path with a space in it is quoted where it is to be pasted.
    sed -i "s|'$RESEAL'|reseal|g; s|$RESEAL|reseal|g" out
}
