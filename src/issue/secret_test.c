/* SPDX-License-Identifier: Apache-2.0 */
#include "issue/secret.h"

#include "base/io.h"
#include "tests/test.h"

#include <pty.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

TEST(a_secret_comes_from_its_source_without_the_line_break)
{
    AUTO(arena) struct arena arena = { .wipe = true };
    AUTO(err) struct err err = { 0 };
    char path[] = "/tmp/reseal-secret-XXXXXX";
    AUTO(fd) int fd = mkstemp(path);
    check_ok(io_write_all(fd, S("from file\r\n"), &err), &err);
    check(setenv("RESEAL_TEST_SECRET", " kept blanks ", 1) == 0);
    int ends[2];
    check(pipe(ends) == 0);
    check_ok(io_write_all(ends[1], S("two\nlines\n"), &err), &err);
    check(close(ends[1]) == 0);
    str words[] = { S("sh"), S("-c"), S("echo \"$0\""), S("from a command") };
    const struct {
        const char *want;
        struct secret_source source;
    } cases[] = {
        {"from file",       { .file = str_c(path), .descriptor = -1 }           },
        { " kept blanks ",  { .env = S("RESEAL_TEST_SECRET"), .descriptor = -1 }},
        { "from a command",
         { .command = { words, COUNT(words), COUNT(words) }, .descriptor = -1 } },
        { "two\nlines",     { .descriptor = ends[0] }                           },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        str secret;
        check_ok(secret_read(&arena, &cases[i].source, NULL, &secret, &err), &err);
        check_str(secret, str_c(cases[i].want));
        check_int(secret.ptr[secret.len], '\0');
    }
    check(close(ends[0]) == 0 && unlink(path) == 0);
}

TEST(a_secret_that_cannot_be_had_says_why)
{
    AUTO(arena) struct arena arena = { .wipe = true };
    char path[] = "/tmp/reseal-secret-XXXXXX";
    AUTO(fd) int fd = mkstemp(path);
    check(fd >= 0);
    str failing[] = { S("sh"), S("-c"), S("echo half; exit 3") };
    str endless[] = { S("yes") };
    str missing[] = { S("/nonexistent/program") };
    const struct {
        const char *want; /* how the message ends */
        struct secret_source source;
    } cases[] = {
        {"/nonexistent/pass: No such file or directory",
         { .file = S("/nonexistent/pass"), .descriptor = -1 }                                                         },
        { "the passphrase is empty",                               { .file = str_c(path), .descriptor = -1 }          },
        { "RESEAL_TEST_UNSET is not set",                          { .env = S("RESEAL_TEST_UNSET"), .descriptor = -1 }},
        { "command sh for the passphrase failed",
         { .command = { failing, COUNT(failing), COUNT(failing) }, .descriptor = -1 }                                 },
        { "output of yes: longer than 4096 bytes",
         { .command = { endless, COUNT(endless), COUNT(endless) }, .descriptor = -1 }                                 },
        { "start /nonexistent/program: No such file or directory",
         { .command = { missing, COUNT(missing), COUNT(missing) }, .descriptor = -1 }                                 },
        { "no passphrase was given",                               { .descriptor = -1 }                               },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(err) struct err err = { 0 };
        str secret;
        check(!secret_read(&arena, &cases[i].source, NULL, &secret, &err));
        if (!str_ends(str_c(err.msg), str_c(cases[i].want)))
            fail_msg("%s", err.msg);
    }
    check(unlink(path) == 0);
}

static int ask(void)
{
    AUTO(arena) struct arena arena = { .wipe = true };
    AUTO(err) struct err err = { 0 };
    struct secret_source none = { .descriptor = -1 };
    str secret;
    return secret_read(&arena, &none, "Passphrase: ", &secret, &err) &&
                   str_eq(secret, S("open sesame"))
               ? 0
               : 1;
}

TEST(a_prompt_reads_a_line_from_the_terminal_and_does_not_echo_it)
{
    int terminal, status;
    char seen[256] = "";
    size_t len = 0;
    pid_t pid = forkpty(&terminal, NULL, NULL, NULL);
    check(pid >= 0);
    if (pid == 0)
        _exit(ask());
    bool typed = false;
    /* The read fails with EIO when the child is gone. */
    for (ssize_t got; (got = read(terminal, seen + len, sizeof(seen) - 1 - len)) > 0;) {
        len += (size_t)got;
        if (!typed && strstr(seen, "Passphrase: ") != NULL) {
            const char *keys = "open sesaem\x7f\x7fme\r";
            check(write(terminal, keys, strlen(keys)) == (ssize_t)strlen(keys));
            typed = true;
        }
    }
    check(waitpid(pid, &status, 0) == pid && WIFEXITED(status));
    check_int(WEXITSTATUS(status), 0);
    check(strstr(seen, "sesa") == NULL);
    check(close(terminal) == 0);
}
