# tools/deps on a root folder of its own, with stand-ins for apt and systemctl: what it puts in
# place for the install, and that everything comes back, also after a run that was killed.
. "$TESTS/lib.sh"
deps=$TESTS/../tools/deps
export DEPS_ROOT="$PWD/root" PATH="$PWD/bin:$PATH"
policy=root/usr/sbin/policy-rc.d
pgconf=root/etc/postgresql-common/createcluster.conf
fails() { ! "$@"; }
mkdir -p bin root/usr/sbin root/etc/postgresql-common root/var/lib
stand_in() { { echo '#!/bin/sh'; cat; } >"bin/$1"; chmod 755 "bin/$1"; }
for tool in systemctl update-rc.d deb-systemd-helper; do
    echo "echo \"$tool \$*\" >>log" | stand_in $tool
done
echo '[ ! -e all-installed ] || echo installed' | stand_in dpkg-query
# One package in the middle is unknown until the index was refreshed.
echo '[ -e refreshed ] || [ "$2" != libyaml-dev ]' | stand_in apt-cache
stand_in apt-get <<'S'
case $* in
    update*) touch refreshed; echo update >>log ;;
    *--assume-no*) ;;
    *)
        sh root/usr/sbin/policy-rc.d; echo "policy says $?" >>log
        grep -h '^create_main_cluster' root/etc/postgresql-common/createcluster.conf >>log
        echo "UCF_FORCE_CONFFOLD=$UCF_FORCE_CONFFOLD NEEDRESTART_SUSPEND=$NEEDRESTART_SUSPEND" >>log
        mkdir -p root/etc/init.d && touch root/etc/init.d/postgresql
        [ ! -e killer ] || kill -9 "$(cat killer)"
        ;;
esac
S
# In the background the shell that runs deps knows its pid: the stand-in kills it.
killed_run() {
    sh -c 'echo $$ >killer; exec sh "$1" demo' sh "$deps" >/dev/null 2>&1
    rm -f killer
}

echo theirs >$policy
echo '# theirs' >$pgconf
"$deps" demo >/dev/null 2>&1
same "the install sees the policy, no main cluster, masked units and a fresh index" log <<'S'
update
systemctl mask --quiet postgresql.service
systemctl mask --quiet slapd.service
systemctl mask --quiet etcd.service
systemctl mask --quiet nginx.service
systemctl mask --quiet haproxy.service
policy says 101
create_main_cluster = false
UCF_FORCE_CONFFOLD=1 NEEDRESTART_SUSPEND=1
systemctl unmask --quiet postgresql.service
systemctl disable --quiet postgresql.service
update-rc.d postgresql disable
systemctl unmask --quiet slapd.service
systemctl disable --quiet slapd.service
systemctl unmask --quiet etcd.service
systemctl disable --quiet etcd.service
systemctl unmask --quiet nginx.service
systemctl disable --quiet nginx.service
systemctl unmask --quiet haproxy.service
systemctl disable --quiet haproxy.service
S
echo theirs | same "the policy that was there comes back" $policy
echo '# theirs' | same "PostgreSQL's defaults that were there come back" $pgconf

killed_run
true_that "a killed run leaves the policy saved" grep -qx theirs $policy.reseal-saved
killed_run
true_that "a second killed run does not overwrite what the first saved" \
    grep -qx theirs $policy.reseal-saved
touch all-installed
: >log
"$deps" demo
echo theirs | same "the next run restores the policy, even when nothing is missing" $policy
echo '# theirs' | same "and PostgreSQL's defaults" $pgconf
true_that "and unmasks the units" grep -q 'unmask --quiet slapd.service' log
true_that "and leaves nothing of its own" test -z "$(find root -name '*reseal*')"

rm -f all-installed $policy $pgconf
killed_run
touch all-installed
"$deps" demo
true_that "where there was no policy, a killed run's policy is removed" test ! -e $policy
true_that "where there were no defaults, a killed run's are removed" test ! -e $pgconf

rm -f all-installed
echo theirs >$policy
echo older >$policy.reseal-saved
"$deps" demo >out 2>&1
code=$?
true_that "two policies that are not ours are refused" test $code -eq 1
echo older | same "and the saved one is not overwritten" $policy.reseal-saved

# Services that someone has already are not for us to mask, nor to disable afterwards.
mkdir -p root/etc/init.d root/usr/lib/systemd/system
touch root/etc/init.d/slapd root/etc/init.d/etcd root/etc/init.d/nginx root/etc/init.d/haproxy root/usr/lib/systemd/system/postgresql.service
rm -f "$policy.reseal-saved" $policy
: >log
"$deps" demo >/dev/null 2>&1
true_that "the install runs" grep -q '^policy says 101$' log
true_that "units that were there are left alone" fails grep -q systemctl log

# A machine without systemd: its links in /etc/rc?.d would begin the service, and so would the link
# that systemd finds when it comes later.
mkdir plain
for tool in sh env dirname id sed grep cat mkdir tee touch chmod mv rm; do
    ln -s "$(command -v $tool)" plain/$tool
done
rm -rf bin/systemctl root/etc/init.d root/usr/lib/systemd
: >log
PATH="$PWD/bin:$PWD/plain" "$deps" demo >out 2>&1
sed '1,/^UCF/d' log >after
same "without systemd, what begins at boot is disabled all the same" after <<'S'
deb-systemd-helper disable postgresql.service
update-rc.d postgresql disable
deb-systemd-helper disable slapd.service
deb-systemd-helper disable etcd.service
deb-systemd-helper disable nginx.service
deb-systemd-helper disable haproxy.service
S
