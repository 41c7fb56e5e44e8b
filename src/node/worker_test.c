/* SPDX-License-Identifier: Apache-2.0 */
/* Covers worker.c, ops.c, file.c, newkey.c and run.c: requests as the coordinator sends them. */
#include "node/worker.h"

#include "base/io.h"
#include "node/lease.h"
#include "tests/pki.h"
#include "tests/test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

struct bench {
    struct arena arena;
    str dir; /* holds state/ and the files */
    pid_t pid;
    int fd;
    FILE *in;
};

static void bench_start(struct bench *bench)
{
    char dir[] = "/tmp/reseal-worker-XXXXXX";
    int pair[2];
    check(mkdtemp(dir) != NULL);
    *bench = (struct bench){ .fd = -1 };
    bench->dir = str_copy(&bench->arena, str_c(dir));
    check_int(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    bench->pid = fork();
    if (bench->pid == 0) {
        AUTO(err) struct err err = { 0 };
        close(pair[0]);
        struct worker worker = { io_join(&bench->arena, bench->dir, S("state")) };
        _exit(worker_serve(&worker, pair[1], pair[1], &err) ? 0 : 1);
    }
    close(pair[1]);
    bench->fd = pair[0];
    bench->in = fdopen(pair[0], "r");
}

static void bench_stop(struct bench *bench)
{
    int status;
    fclose(bench->in);
    check_int(waitpid(bench->pid, &status, 0), bench->pid);
    check_int(status, 0);
    arena_free(&bench->arena);
}
DEFINE_AUTO(bench, struct bench, bench_stop(handle))

/* `fields` is a format for jansson's json_pack-like text, with ' for ". */
static json_t *ask(struct bench *bench, const char *op, str fields)
{
    AUTO(err) struct err err = { 0 };
    str line = str_printf(&bench->arena, "{'id':1,'op':'%s'%s%.*s}\n", op,
                          fields.len > 0 ? "," : "", STR_ARG(fields));
    char *text = (char *)(uintptr_t)line.ptr;
    for (size_t i = 0; i < line.len; i++)
        if (text[i] == '\'')
            text[i] = '"';
    check_ok(io_write_all(bench->fd, line, &err), &err);
    char *got = NULL;
    size_t cap = 0;
    ssize_t len = getline(&got, &cap, bench->in);
    check(len > 0);
    json_t *answer = NULL;
    check_ok(protocol_parse((str){ got, (size_t)len - 1 }, &answer, &err), &err);
    free(got);
    return answer;
}

static void check_answer(json_t *answer, enum err_kind want)
{
    AUTO(err) struct err err = { 0 };
    bool ok = answer_check(answer, &err);
    json_decref(answer);
    if (err.kind != want)
        fail_msg("got %s: %s", err_kind_name(err.kind), ok ? "ok" : err.msg);
}

TEST(a_bad_line_is_answered_and_the_worker_goes_on)
{
    AUTO(bench) struct bench bench;
    bench_start(&bench);
    check_answer(ask(&bench, "no_such", S("")), ERR_USAGE);
    check_answer(ask(&bench, "hello", S("'id':2")), ERR_FORMAT);
    check_answer(ask(&bench, "hello", S("")), ERR_NONE);
}
