# Every incident of tests/incidents/: the cluster as it was that day, and what reseal makes of it. What
# is typed there is on docs/incidents.md.
. "$TESTS/incidents.sh"
here=$PWD page=$TESTS/../docs/incidents.md
trap 'stop_all; rm -f "$here"/*/tls.key' EXIT
trap 'exit 1' HUP INT TERM
stop_all() { for one in "$here"/*/stop; do [ ! -e "$one" ] || sh "$one"; done; }

# paragraph NUMBER: what the page tells of it.
paragraph() { sed -n "/^### $1 /,/^##/p" "$page"; }
told() { # told NUMBER: the page has what was typed
    paragraph "$1" >"$here/$1.told"
    sed 's, --yes$,,' "$here/$1/typed" | sort -u | while read -r line; do
        grep -qxF "\$ $line" "$here/$1.told" || { echo "# $line" && return 1; }
    done
}
one() { # one NUMBER: its lines
    cd "$here/$1" || exit 1
    typed=$PWD/typed
    incident_at "$1"
    holds
    holds_that "the page tells of it" told "$1"
}

all=${INCIDENTS:-$(ls "$TESTS/incidents")}
set -- $all
while [ $# -gt 0 ]; do
    for lane in 1 2 3 4; do
        [ $# -gt 0 ] || break
        mkdir "$1"
        last=$((20000 + ($$ * 131 + $# * 20) % 12000))
        one "$1" >"$1.out" 2>&1 &
        shift
    done
    wait
    stop_all
    rm -f ./*/stop
done
for number in $all; do cat "$number.out"; done
numbers=$(sed -n 's/^### \([0-9]*\) .*/\1/p' "$page" | sort)
true_that "the page tells of nothing else" test "$numbers" = "$(ls "$TESTS/incidents" | sort)"
