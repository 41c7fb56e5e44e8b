# sshd.sh - an OpenSSH server of the tests' own. Sourced after cluster.sh or lib.sh; whoever sources it
# calls sshd_down when it ends.
#
#     ssh/host, ssh/host.pub     the server's key        ssh/user, ssh/user.pub    who may log in
#     ssh/config                 for the client          ssh/known                 its known_hosts
#
# Who logs in has the program that is tested in their PATH.
mkdir ssh
ssh_dir=$(pwd)/ssh
user=$(id -un)
sshd=
for key in host user; do
    ssh-keygen -q -t ed25519 -N '' -C "$key" -f "ssh/$key"
done
cp ssh/user.pub ssh/authorized
cat >ssh/config <<X
IdentityFile $ssh_dir/user
IdentitiesOnly yes
UserKnownHostsFile $ssh_dir/known
GlobalKnownHostsFile /dev/null
X

# Where root's server drops its rights to; ours goes again.
run_made=
if [ "$(id -u)" -eq 0 ] && [ ! -d /run/sshd ]; then
    mkdir /run/sshd
    run_made=yes
fi

# In its own group of processes, so that a signal to the script does not end it before its time.
serve_ssh() {
    cat >ssh/sshd_config <<X
Port $port
ListenAddress 127.0.0.1
HostKey $ssh_dir/host
AuthorizedKeysFile $ssh_dir/authorized
PidFile none
StrictModes no
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
PermitRootLogin prohibit-password
MaxStartups 100
SetEnv "PATH=$(dirname "$RESEAL"):$PATH"
X
    exec /usr/sbin/sshd -D -e -f "$ssh_dir/sshd_config"
}
sshd_up() { # on a free port, in $ssh_port; again on the same one, if it had one
    if [ -z "$ssh_port" ]; then
        on_free_port serve_ssh || return 1
        ssh_port=$port sshd=$server
    else
        port=$ssh_port
        (serve_ssh) >>server.out 2>&1 </dev/null &
        sshd=$!
        for wait in $(seq 100); do
            listening "$ssh_port" && break
            sleep 0.1
        done
    fi
}
ssh_port=
sshd_down() {
    [ -z "$sshd" ] || kill "$sshd" 2>/dev/null
    sshd=
    [ -z "$run_made" ] || rmdir /run/sshd 2>/dev/null
}
trusted() { echo "[127.0.0.1]:$ssh_port $(cut -d' ' -f1,2 "ssh/${1:-host}.pub")" >ssh/known; }
fingerprint() { ssh-keygen -lf "ssh/${1:-host}.pub" | cut -d' ' -f2 | sed 's/[+.]/\\&/g'; } # as a pattern
