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

static str at(struct bench *bench, const char *name)
{
    return io_join(&bench->arena, bench->dir, str_c(name));
}

static str put(struct bench *bench, const char *name, str bytes, mode_t mode)
{
    AUTO(err) struct err err = { 0 };
    str path = at(bench, name);
    check_ok(io_replace(path.ptr, bytes, (struct io_owner){ (uid_t)-1, (gid_t)-1, mode }, &err),
             &err);
    return path;
}

static str content(struct bench *bench, str path)
{
    AUTO(err) struct err err = { 0 };
    str bytes;
    check_ok(io_read(&bench->arena, path.ptr, 1 << 20, &bytes, &err), &err);
    return bytes;
}

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

#define LEASE "'cluster':'c1','token':1,'apply':'a1'"

static void lease(struct bench *bench, const char *holder)
{
    str host = lease_host(&bench->arena), started = lease_process(&bench->arena, getpid());
    check_answer(ask(bench, "lease_take",
                     str_printf(&bench->arena,
                                "'cluster':'c1','holder':'%s','host':'%s','pid':%d,"
                                "'started':'%s'",
                                holder, host.ptr, (int)getpid(), started.ptr)),
                 ERR_NONE);
}

static void snapshot(struct bench *bench, str path)
{
    check_answer(
        ask(bench, "snapshot", str_printf(&bench->arena, LEASE ",'paths':['%s']", path.ptr)),
        ERR_NONE);
}

static str base64(struct bench *bench, str bytes)
{
    char *text = arena_alloc(&bench->arena, bytes.len * 2 + 8, 1);
    int len =
        EVP_EncodeBlock((unsigned char *)text, (const unsigned char *)bytes.ptr, (int)bytes.len);
    return (str){ text, (size_t)len };
}

TEST(a_bad_line_is_answered_and_the_worker_goes_on)
{
    AUTO(bench) struct bench bench;
    bench_start(&bench);
    check_answer(ask(&bench, "no_such", S("")), ERR_USAGE);
    check_answer(ask(&bench, "hello", S("'id':2")), ERR_FORMAT);
    check_answer(ask(&bench, "hello", S("")), ERR_NONE);
}

TEST(a_file_is_written_only_with_the_lease_a_snapshot_and_the_expected_bytes)
{
    AUTO(bench) struct bench bench;
    bench_start(&bench);
    str path = put(&bench, "conf", S("old"), 0640);
    str now = sha256_hex(&bench.arena, S("old")), other = sha256_hex(&bench.arena, S("x"));
    str good = str_printf(&bench.arena, LEASE ",'path':'%s','expects':'%s','bytes':'bmV3'",
                          path.ptr, now.ptr);
    str wrong = str_printf(&bench.arena, LEASE ",'path':'%s','expects':'%s','bytes':'bmV3'",
                           path.ptr, other.ptr);
    check_answer(ask(&bench, "write_file", good), ERR_CONFLICT); /* no lease */
    lease(&bench, "me");
    check_answer(ask(&bench, "write_file", good), ERR_REFUSED); /* no snapshot */
    snapshot(&bench, path);
    check_answer(ask(&bench, "write_file", wrong), ERR_CONFLICT);
    check_str(content(&bench, path), S("old"));
    lease(&bench, "me"); /* token 2: the requests' token is stale now */
    check_answer(ask(&bench, "write_file", good), ERR_CONFLICT);
    check_str(content(&bench, path), S("old"));
}

TEST(restore_brings_back_bytes_permissions_and_absence)
{
    AUTO(bench) struct bench bench;
    bench_start(&bench);
    str path = put(&bench, "conf", S("old"), 0640), fresh = at(&bench, "fresh");
    bool root = geteuid() == 0;
    check_int(root ? chown(path.ptr, 1234, 1235) : 0, 0);
    lease(&bench, "me");
    snapshot(&bench, path);
    snapshot(&bench, fresh);
    str now = sha256_hex(&bench.arena, S("old"));
    check_answer(ask(&bench, "write_file",
                     str_printf(&bench.arena, LEASE ",'path':'%s','expects':'%s','bytes':'bmV3'",
                                path.ptr, now.ptr)),
                 ERR_NONE);
    check_answer(ask(&bench, "write_file",
                     str_printf(&bench.arena,
                                LEASE ",'path':'%s','expects':'absent','bytes':'bmV3'", fresh.ptr)),
                 ERR_NONE);
    check_str(content(&bench, path), S("new"));
    check_int(chmod(path.ptr, 0600), 0);
    check_int(root ? chown(path.ptr, 0, 0) : 0, 0);
    snapshot(&bench, path); /* a second one must not replace the first */
    check_answer(ask(&bench, "restore", S(LEASE)), ERR_NONE);
    check_str(content(&bench, path), S("old"));
    struct stat st;
    check_int(stat(path.ptr, &st), 0);
    check_int(st.st_mode & 07777, 0640);
    check_int(st.st_uid, root ? 1234 : geteuid());
    check_int(st.st_gid, root ? 1235 : getegid());
    check_int(access(fresh.ptr, F_OK), -1);
}

TEST(a_certificate_is_installed_only_beside_its_own_key)
{
    AUTO(bench) struct bench bench;
    bench_start(&bench);
    struct pki one = pki_make(&bench.arena, &(struct pki_spec){ .name = "one" });
    struct pki two = pki_make(&bench.arena, &(struct pki_spec){ .name = "two" });
    str key = put(&bench, "one.key", one.key_pem, 0600), cert = at(&bench, "one.crt");
    lease(&bench, "me");
    snapshot(&bench, cert);
    str bad =
        str_printf(&bench.arena, LEASE ",'path':'%s','key':'%s','expects':'absent','bytes':'%.*s'",
                   cert.ptr, key.ptr, STR_ARG(base64(&bench, two.pem)));
    str good =
        str_printf(&bench.arena, LEASE ",'path':'%s','key':'%s','expects':'absent','bytes':'%.*s'",
                   cert.ptr, key.ptr, STR_ARG(base64(&bench, one.pem)));
    check_answer(ask(&bench, "install_certificate", bad), ERR_REFUSED);
    check_int(access(cert.ptr, F_OK), -1);
    check_answer(ask(&bench, "install_certificate", good), ERR_NONE);
    check_str(content(&bench, cert), one.pem);
}

TEST(a_new_key_stays_here_and_a_second_try_uses_the_same_one)
{
    AUTO(bench) struct bench bench;
    bench_start(&bench);
    str path = at(&bench, "new.key");
    str fields = str_printf(&bench.arena,
                            LEASE ",'path':'%s','type':'EC','common_name':'db1',"
                                  "'san':['DNS:db1','IP:127.0.0.1']",
                            path.ptr);
    lease(&bench, "me");
    check_answer(ask(&bench, "make_key", fields), ERR_REFUSED);
    snapshot(&bench, path);
    AUTO(json) json_t *first = ask(&bench, "make_key", fields);
    AUTO(json) json_t *second = ask(&bench, "make_key", fields);
    check(json_string_length(json_object_get(first, "spki_sha256")) == 64);
    check(json_equal(json_object_get(first, "spki"), json_object_get(second, "spki")));
    struct stat st;
    check_int(stat(path.ptr, &st), 0);
    check_int(st.st_mode & 07777, 0600);
    check(str_starts(content(&bench, path), S("-----BEGIN PRIVATE KEY-----")));
    str trick = str_printf(&bench.arena,
                           LEASE ",'path':'%s','type':'EC','common_name':'x',"
                                 "'san':['DNS:a,email:copy']",
                           path.ptr);
    check_answer(ask(&bench, "make_key", trick), ERR_USAGE);
}

TEST(a_command_gives_its_output_and_code_and_is_ended_when_it_takes_too_long)
{
    AUTO(bench) struct bench bench;
    bench_start(&bench);
    lease(&bench, "me");
    AUTO(json)
    json_t *ran =
        ask(&bench, "run", S(LEASE ",'argv':['sh','-c','echo out; echo err >&2; exit 3']"));
    check_int(json_integer_value(json_object_get(ran, "exit")), 3);
    assert_string_equal(json_string_value(json_object_get(ran, "output")), "out\nerr\n");
    check_answer(ask(&bench, "run", S(LEASE ",'argv':['sleep','60'],'timeout_ms':50")),
                 ERR_UNCERTAIN);
    check_answer(ask(&bench, "run", S(LEASE ",'argv':['id'],'run_as':'no-such-user'")), ERR_USAGE);
}

TEST(a_store_that_its_service_may_not_read_is_a_finding)
{
    AUTO(bench) struct bench bench;
    bench_start(&bench);
    if (geteuid() != 0)
        return;
    struct pki one = pki_make(&bench.arena, &(struct pki_spec){ .name = "one" });
    check_int(chmod(bench.dir.ptr, 0755), 0);
    str path = put(&bench, "one.crt", one.pem, 0600);
    str fields = str_printf(&bench.arena, "'path':'%s','run_as':'nobody'", path.ptr);
    AUTO(json) json_t *closed = ask(&bench, "read_store", fields);
    const json_t *finding = json_array_get(json_object_get(closed, "findings"), 0);
    assert_string_equal(json_string_value(json_object_get(finding, "code")), "keystore_unreadable");
    check_int(json_array_size(json_object_get(closed, "entries")), 1);
}
