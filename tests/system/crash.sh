# A few points of tests/crash, and that what it uses kills and judges as it says.
. "$TESTS/lib.sh"
crash_at=${RESEAL%/*}/crash_at
tab=$(printf '\t')
dir=$(pwd -P)/victim
ASAN_OPTIONS=detect_leaks=0
export ASAN_OPTIONS
mkdir victim
cd victim

# at POINT COMMAND...: killed there; its log is in `log`.
at() {
    CRASH_POINT=$1 && shift
    export CRASH_POINT
    "$crash_at" ../log "$dir" "$@" 2>/dev/null
    echo "exit $?" >>../log
    unset CRASH_POINT
}
at "coordinator${tab}open${tab}two${tab}1" sh -c 'echo 1 >one; echo 2 >two; echo 3 >three'
true_that "killed at the call that would make a file, it is not made, and what was written before is" \
    sh -c 'grep -qx 1 one && ! [ -e two ] && ! [ -e three ] && tail -n 2 ../log | tr "\n" " " | grep -qx "killed exit 137 "'
at "coordinator${tab}write${tab}two${tab}1" sh -c 'echo 2 >two'
true_that "killed at the call that would write into it, it is there and empty" \
    sh -c '[ -e two ] && ! [ -s two ]'
echo 'echo 4 >four; echo 5 >five' >node
at "w1${tab}open${tab}five${tab}1" sh -c 'sh node --state x/w1; echo 6 >six'
true_that "a worker is killed alone" sh -c '[ -s four ] && ! [ -e five ] && [ -s six ]'
rm -f four five six
CRASH_GROUP=1 && export CRASH_GROUP
at "w1${tab}open${tab}five${tab}1" sh -c 'sh node --state x/w1; echo 6 >six'
unset CRASH_GROUP
true_that "or with all the others" sh -c '[ -s four ] && ! [ -e five ] && ! [ -e six ]'
cd ..

# Root's only: elsewhere the sweep asks sudo, which may want to ask back.
if [ "$(id -u)" -ne 0 ] && ! sudo -n true 2>/dev/null; then
    echo "ok the sweep is root's: not tried"
    exit
fi
"$TESTS/crash" --sample 3 --jobs 3 --work "$(pwd)/work" "${RESEAL%/*}" >out 2>&1
true_that "three points of the sweep" sh -c 'cat out; tail -n 1 out | grep -qx "3 passed, 0 failed"'
# What root made, whoever began it removes.
[ "$(id -u)" -eq 0 ] || sudo -n chown -R "$(id -u)" work
for part in 'fsync' 'fsync([0-9]*<[^>]*/tls>' 'fsync([0-9]*<[^>]*jsonl>'; do
    rm -rf without && mkdir without
    for calls in work/calls/*; do grep -v "^$part" "$calls" >"without/${calls##*/}"; done
    true_that "without the calls $part the order would be wrong" \
        sh -c '! "$TESTS/crash_order" without/* >order && grep -q ^wrong order'
done
