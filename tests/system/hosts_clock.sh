# Two hosts in namespaces, and a clock that is off at one of them: found before anything is issued.
# Covers preflight.c.
. "$TESTS/lib.sh"
. "$TESTS/hosts.sh"

true_that "clock: a plan is made while it is right" eval 'r plan --out plan.json >/dev/null; [ $? -eq 10 ]'
clock() { # clock OFFSET: of what reseal does at b
    sed -i "s#^    program: .*#    program: [env, \"LD_PRELOAD=${RESEAL%/*}/libclock_off.so\", \"CLOCK_OFF=$1\", reseal]#" ctl/cluster.yaml
}
for off in 600 -600; do
    clock $off
    run r check
    true_that "clock $off: check finds it" says 'critical +b: its clock is (599|600|601) seconds (ahead of|behind) ours'
    true_that "clock $off: and says both" says ': [0-9TZ:-]+ there, [0-9TZ:-]+ here; set the wrong one right'
    true_that "clock $off: and what to type" says 'next: ssh .* timedatectl'
    refused "clock $off: plan is refused" 'b: its clock is' r plan
    refused "clock $off: renew is refused" 'b: its clock is' r renew --yes
    refused "clock $off: so is a plan that was made before" 'b: its clock is' r apply plan.json
done
true_that "clock: nothing was issued" test "$(issued)" = 0
clock 30
true_that "clock: half a minute is no reason" r renew --yes
whole "clock"
clock 600
run r rollback --yes
true_that "clock: the way back issues nothing, and is open" says '^exit 0$'
works "clock, undone"
