/* SPDX-License-Identifier: Apache-2.0 */
/* What the client says is recorded from OpenSSH 9.2. */
#include "reach/ssh.h"

#include "base/io.h"
#include "tests/test.h"

#include <string.h>
#include <unistd.h>

#define CODE(n) ((n) << 8) /* as waitpid() gives an exit code */

static struct ssh_way way_new(void)
{
    return (struct ssh_way){
        .address = {S("root"), S("127.0.0.1"), 2222},
        .config = S("/x y/ssh.conf"),
        .node = S("db1")
    };
}

static void read_log(const char *text, struct ssh_log *log)
{
    AUTO(err) struct err err = { 0 };
    int pipes[2];
    check_int(pipe(pipes), 0);
    *log = (struct ssh_log){ .fd = pipes[0] };
    check_ok(io_write_all(pipes[1], str_c(text), &err), &err);
    close(pipes[1]);
    ssh_log_read(log);
    check_int(log->fd, -1);
}

static bool has(const char *const *argv, const char *option, const char *value)
{
    for (size_t i = 0; argv[i] != NULL; i++)
        if (strcmp(argv[i], option) == 0 && argv[i + 1] != NULL && strcmp(argv[i + 1], value) == 0)
            return true;
    return false;
}

TEST(the_client_asks_nobody_forwards_nothing_and_takes_only_a_known_key)
{
    static const char *const needed[] = { "BatchMode=yes",         "StrictHostKeyChecking=yes",
                                          "UpdateHostKeys=no",     "ControlMaster=no",
                                          "ControlPath=none",      "ClearAllForwardings=yes",
                                          "ConnectTimeout=10",     "ServerAliveInterval=5",
                                          "ServerAliveCountMax=3", "PermitLocalCommand=no" };
    AUTO(arena) struct arena arena = { 0 };
    struct ssh_way way = way_new();
    const char *const *argv = ssh_arguments(&arena, &way);
    check_str(str_c(argv[0]), S("ssh"));
    for (size_t i = 0; i < COUNT(needed); i++)
        if (!has(argv, "-o", needed[i]))
            fail_msg("no %s", needed[i]);
    check(has(argv, "-F", "/x y/ssh.conf") && has(argv, "-p", "2222") && has(argv, "-l", "root"));
    check(has(argv, "-T", "-x") && has(argv, "-x", "-a"));
    check(has(argv, "--", "127.0.0.1") && has(argv, "127.0.0.1", "reseal node -- db1"));
}

TEST(what_the_other_shell_sees_is_quoted_and_what_ssh_decides_is_not_said)
{
    AUTO(arena) struct arena arena = { 0 };
    struct ssh_way way = { .address = { .host = S("db1") },
                           .node = S("it's; rm -rf /"),
                           .state = S("/srv/a b") };
    list_push(&arena, &way.program) = S("sudo");
    list_push(&arena, &way.program) = S("-n");
    list_push(&arena, &way.program) = S("/opt/re seal");
    const char *const *argv = ssh_arguments(&arena, &way);
    check(has(argv, "db1",
              "sudo -n '/opt/re seal' node --state '/srv/a b' -- "
              "'it'\\''s; rm -rf /'"));
    for (size_t i = 0; argv[i] != NULL; i++)
        check(strcmp(argv[i], "-l") != 0 && strcmp(argv[i], "-p") != 0 &&
              strcmp(argv[i], "-F") != 0);
    check_str(ssh_line(&arena, &way, S("df -h '/a'")), S("ssh db1 'df -h '\\''/a'\\'''"));
}

struct explained {
    const char *text;
    int status;
    enum err_kind kind;
    const char *msg, *next;
};

static void check_explained(const struct explained *want)
{
    AUTO(err) struct err err = { 0 };
    struct ssh_way way = way_new();
    struct ssh_log log;
    read_log(want->text, &log);
    check(!ssh_explain(&way, &log, want->status, &err));
    check_int(err.kind, want->kind);
    check_str(str_c(err.msg), str_c(want->msg));
    check_str(str_c(err.next), str_c(want->next));
}

#define OFFERED "debug1: Server host key: ssh-ed25519 SHA256:/Zru4xU0mAlqUpz\r\n"

TEST(an_unknown_host_key_is_named_and_the_client_is_what_accepts_it)
{
    check_explained(&(struct explained){
        "debug1: Connecting to 127.0.0.1 [127.0.0.1] port 2222.\r\n" OFFERED
        "No ED25519 host key is known for [127.0.0.1]:2222 and you have requested strict "
        "checking.\r\n"
        "Host key verification failed.\r\n",
        CODE(255), ERR_REFUSED,
        "the host key of [127.0.0.1]:2222 is not known here; it offers ssh-ed25519 "
        "SHA256:/Zru4xU0mAlqUpz: compare that with what `ssh-keygen -lf "
        "/etc/ssh/ssh_host_ed25519_key.pub` prints there, then accept it",
        "ssh -F '/x y/ssh.conf' -p 2222 -o StrictHostKeyChecking=ask root@127.0.0.1 true" });
}

TEST(a_changed_host_key_is_named_with_the_line_that_it_differs_from)
{
    check_explained(&(struct explained){
        OFFERED "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r\n"
                "@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\r\n"
                "@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@@\r\n"
                "IT IS POSSIBLE THAT SOMEONE IS DOING SOMETHING NASTY!\r\n"
                "Someone could be eavesdropping on you right now (man-in-the-middle attack)!\r\n"
                "It is also possible that a host key has just been changed.\r\n"
                "The fingerprint for the ED25519 key sent by the remote host is\n"
                "SHA256:/Zru4xU0mAlqUpz.\r\n"
                "Please contact your system administrator.\r\n"
                "Add correct host key in /tmp/s x/kh to get rid of this message.\r\n"
                "Offending ED25519 key in /tmp/s x/kh:1\r\n"
                "  remove with:\r\n"
                "  ssh-keygen -f \"/tmp/s x/kh\" -R \"[127.0.0.1]:2222\"\r\n"
                "Host key for [127.0.0.1]:2222 has changed and you have requested strict "
                "checking.\r\n"
                "Host key verification failed.\r\n",
        CODE(255), ERR_REFUSED,
        "the host key of [127.0.0.1]:2222 is not the one that /tmp/s x/kh:1 holds; it offers "
        "ssh-ed25519 SHA256:/Zru4xU0mAlqUpz: unless that host was set up anew, somebody is in "
        "between",
        "ssh-keygen -f '/tmp/s x/kh' -R '[127.0.0.1]:2222'" });
}

TEST(who_may_not_log_in_and_what_cannot_be_run_there_is_told_apart_from_a_host_that_is_away)
{
    // clang-format off
    static const struct explained cases[] = {
        { "root@127.0.0.1: Permission denied (publickey).\r\n", CODE(255), ERR_REFUSED,
          "ssh may not log in there: root@127.0.0.1: Permission denied (publickey).",
          "ssh -F '/x y/ssh.conf' -p 2222 root@127.0.0.1 true" },
        { "Authenticated to 127.0.0.1 ([127.0.0.1]:2222) using \"publickey\".\r\n"
          "bash: line 1: reseal: command not found\n"
          "Transferred: sent 3480, received 3348 bytes, in 0.2 seconds\r\n", CODE(127), ERR_REFUSED,
          "`reseal` cannot be run there (bash: line 1: reseal: command not found); where reseal is, "
          "is said by `program:` of the node",
          "ssh -F '/x y/ssh.conf' -p 2222 root@127.0.0.1 'reseal --version'" },
        { "ssh: connect to host 127.0.0.1 port 2222: Connection refused\r\n", CODE(255), ERR_NETWORK,
          "ssh: connect to host 127.0.0.1 port 2222: Connection refused", "" },
        { "sudo: a password is required\n", CODE(1), ERR_REFUSED,
          "`reseal` does not start there: sudo: a password is required",
          "ssh -F '/x y/ssh.conf' -p 2222 root@127.0.0.1 'reseal --version'" },
        { "\x1b[31mred\n", CODE(255), ERR_NETWORK, "?[31mred", "" },
        { "", 9, ERR_NETWORK, "ssh ended without a word", "" },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++)
        check_explained(&cases[i]);
}

TEST(of_much_that_is_said_the_end_is_kept_and_a_long_line_is_cut)
{
    AUTO(arena) struct arena arena = { 0 };
    struct ssh_log log;
    struct buf text = { 0 };
    for (int i = 0; i < 100; i++)
        buf_printf(&arena, &text, "line %d\n", i);
    for (int i = 0; i < 1000; i++)
        buf_printf(&arena, &text, "x");
    buf_printf(&arena, &text, "\nlast, without its end");
    read_log(buf_str(&text).ptr, &log);
    check_str(ssh_log_last(&log), S("last, without its end"));
    check(log.count > 100);
}
