/* SPDX-License-Identifier: Apache-2.0 */
/* Covers worker.c and ops.c: requests as the coordinator sends them. */
#include "node/worker.h"

#include "node/lease.h"
#include "node/node_test.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

static const struct driver *const drivers[] = { &node_driver, NULL };

struct bench {
    struct node_bench node; /* state/ and the files are there */
    struct arena *arena;
    pid_t pid;
    int fd;
    FILE *in;
};

static void bench_start(struct bench *bench)
{
    int pair[2];
    *bench = (struct bench){ .fd = -1 };
    node_bench_make(&bench->node);
    bench->arena = &bench->node.folder.arena;
    check_int(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
    bench->pid = fork();
    if (bench->pid == 0) {
        AUTO(err) struct err err = { 0 };
        close(pair[0]);
        struct worker worker = { folder_at(&bench->node.folder, "state"), drivers };
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
    folder_close(&bench->node.folder);
}
DEFINE_AUTO(bench, struct bench, bench_stop(handle))

/* `fields` is a format for jansson's json_pack-like text, with ' for ". */
static json_t *ask(struct bench *bench, const char *op, str fields)
{
    AUTO(err) struct err err = { 0 };
    str line = str_printf(bench->arena, "{'id':1,'op':'%s'%s%.*s}\n", op, fields.len > 0 ? "," : "",
                          STR_ARG(fields));
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

/* The lease of cluster c-1 for this process; its token. */
static int64_t take_lease(struct bench *bench)
{
    str started = lease_process(bench->arena, getpid());
    AUTO(json)
    json_t *answer =
        ask(bench, "lease_take",
            str_printf(bench->arena,
                       "'cluster':'c-1','holder':'alice','host':'%.*s','machine':'%.*s','pid':%d,"
                       "'started':'%.*s'",
                       STR_ARG(lease_host(bench->arena)), STR_ARG(lease_machine(bench->arena)),
                       (int)getpid(), STR_ARG(started)));
    AUTO(err) struct err err = { 0 };
    check_ok(answer_check(answer, &err), &err);
    return json_integer_value(json_object_get(answer, "token"));
}

/* The members of a request about a step on the identity, in apply `apply` under `token`. */
static str about(struct bench *bench, const char *apply, int64_t token, const char *kind,
                 const char *more)
{
    return str_printf(bench->arena,
                      "'cluster':'c-1','token':%lld,'apply':'%s','node':'%.*s',"
                      "'step':{'id':'0123456789abcdef','kind':'%s','service':'app',"
                      "'store':'server','expects':'%.*s','new_key':true%s}",
                      (long long)token, apply, STR_ARG(bench->node.text), kind,
                      STR_ARG(node_fingerprint(&bench->node, &bench->node.old)), more);
}

static json_t *good(json_t *answer)
{
    AUTO(err) struct err err = { 0 };
    check_ok(answer_check(answer, &err), &err);
    return answer;
}

static str member(struct bench *bench, const json_t *answer, const char *name)
{
    AUTO(err) struct err err = { 0 };
    str bytes;
    check_ok(need_bytes(bench->arena, answer, name, &bytes, &err), &err);
    return bytes;
}

TEST(a_bad_line_is_answered_and_the_worker_goes_on)
{
    AUTO(bench) struct bench bench;
    bench_start(&bench);
    check_answer(ask(&bench, "no_such", S("")), ERR_USAGE);
    check_answer(ask(&bench, "hello", S("'id':2")), ERR_FORMAT);
    check_answer(ask(&bench, "hello", S("")), ERR_NONE);
}

TEST(what_changes_anything_needs_the_lease_with_the_token_that_holds_it)
{
    static const char *const ops[] = { "carry_out", "request", "deliver",
                                       "forget",    "restore", "observe" };
    AUTO(bench) struct bench bench;
    bench_start(&bench);
    for (size_t i = 0; i < COUNT(ops); i++) {
        check_answer(ask(&bench, ops[i], about(&bench, "a-1", 0, "snapshot", "")), ERR_CONFLICT);
        check_answer(ask(&bench, ops[i], about(&bench, "a-1", 1, "snapshot", "")), ERR_CONFLICT);
        check_answer(ask(&bench, ops[i], S("'apply':'a-1'")), ERR_FORMAT);
    }
    check_int(take_lease(&bench), 1);
    check_int(take_lease(&bench), 2);
    for (size_t i = 0; i < COUNT(ops); i++) {
        check_answer(ask(&bench, ops[i], about(&bench, "a-1", 1, "snapshot", "")), ERR_CONFLICT);
        check_answer(ask(&bench, ops[i], about(&bench, "a-1", 3, "snapshot", "")), ERR_CONFLICT);
    }
    check(!folder_has(&bench.node.folder, folder_at(&bench.node.folder, "state/snapshots")));
    check(!folder_has(&bench.node.folder, folder_at(&bench.node.folder, "state/pending")));
    check_answer(ask(&bench, "carry_out", about(&bench, "a-1", 2, "snapshot", "")), ERR_NONE);
    check_answer(ask(&bench, "lease_release", S("'cluster':'c-1','token':2")), ERR_NONE);
    check_answer(ask(&bench, "carry_out", about(&bench, "a-1", 2, "snapshot", "")), ERR_CONFLICT);
}

TEST(a_request_that_is_not_whole_is_refused)
{
    AUTO(bench) struct bench bench;
    bench_start(&bench);
    check_int(take_lease(&bench), 1);
    const struct {
        const char *op;
        str fields;
        enum err_kind want;
    } cases[] = {
        {"look",       S(""),                                                         ERR_FORMAT                                                   },
        { "look",      S("'node':'{nodes: {}}'"),                                     ERR_FORMAT                                                   },
        { "look",      S("'node':'{nodes: {a: {system: x}}}'"),                       ERR_USAGE                                                    },
        { "look",      S("'node':'{nodes: {a: {systen: x}}}'"),                       ERR_FORMAT                                                   },
        { "look",      S("'node':'{nodes: {a: {system: test}, b: {system: test}}}'"), ERR_FORMAT                                                   },
        { "look",      S("'node':'{nodes: {a: {system: test}}}','timeout_ms':0"),     ERR_FORMAT                                                   },
        { "observe",   S("'node':'{nodes: {a: {system: test}}}'"),                    ERR_FORMAT                                                   },
        { "observe",   about(&bench,                                                  "a-1",                                                         1, "dance", ""), ERR_FORMAT },
        { "observe",     about(&bench,                                                               "../x",                                                                                                                  1, "snapshot", ""), ERR_FORMAT },
        { "preflight",   about(&bench,                                                "a-1",                                         1, "snapshot", ",'store':7"), ERR_FORMAT },
        { "saved",  S(""),                                                            ERR_FORMAT                                                                                                              },
        { "saved", S("'apply':'../x'"),                                                ERR_FORMAT                                                        },
        { "probe",  S("'host':'127.0.0.1','port':0,'protocol':'tls'"),                                                  ERR_FORMAT                                                                                                    },
        { "probe",     S("'host':'127.0.0.1','port':65536,'protocol':'tls'"),                                                            ERR_FORMAT                                                   },
        { "probe",     S("'host':'127.0.0.1','port':1,'protocol':'tls','verify':'x'"),                                               ERR_FORMAT                                                  },
        { "lease_read",     S(""),                ERR_FORMAT                 },
        { "lease_take",     S("'cluster':'../x','holder':'a','host':'b','machine':'m','started':'c'"),
         ERR_FORMAT},
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(err) struct err err = { 0 };
        AUTO(json) json_t *answer = ask(&bench, cases[i].op, cases[i].fields);
        (void)!answer_check(answer, &err);
        if (err.kind != cases[i].want)
            fail_msg("case %zu: %s: %s", i, err_kind_name(err.kind), err.msg);
    }
}

TEST(an_identity_is_renewed_and_restored_by_requests_alone)
{
    AUTO(bench) struct bench bench;
    bench_start(&bench);
    struct folder *folder = &bench.node.folder;
    int64_t token = take_lease(&bench);
    check_answer(ask(&bench, "preflight", about(&bench, "a-1", token, "snapshot", "")), ERR_NONE);
    check_answer(ask(&bench, "carry_out", about(&bench, "a-1", token, "snapshot", "")), ERR_NONE);
    AUTO(json)
    json_t *request = good(ask(&bench, "request", about(&bench, "a-1", token, "issue", "")));
    check_str(member(&bench, request, "replaced"), bench.node.old.cert.der);
    str key_path = folder_at(folder, "state/pending/0123456789abcdef.key");
    struct pki key = { .key_pem = folder_text(folder, key_path) };
    struct pki leaf =
        pki_make(bench.arena,
                 &(struct pki_spec){ .name = "db1", .issuer = &bench.node.root, .key_of = &key });
    check_str(str_c(json_string_value(json_object_get(request, "spki_sha256"))),
              leaf.cert.spki_sha256);
    str chain = S("");
    for (str rest = leaf.pem; rest.len > 0;) {
        str line = str_cut(&rest, '\n');
        chain = str_printf(bench.arena, "%.*s%.*s\\n", STR_ARG(chain), STR_ARG(line));
    }
    str delivery = str_printf(bench.arena, "%.*s,'chain':'%.*s'",
                              STR_ARG(about(&bench, "a-1", token, "issue", "")), STR_ARG(chain));
    check_answer(ask(&bench, "deliver", delivery), ERR_NONE);
    const char *new = ",'certificate':'new:0123456789abcdef'";
    check_answer(ask(&bench, "carry_out", about(&bench, "a-1", token, "install", new)), ERR_NONE);
    check_answer(ask(&bench, "carry_out", about(&bench, "a-1", token, "switch", new)), ERR_NONE);
    AUTO(json)
    json_t *observed = good(ask(&bench, "observe", about(&bench, "a-1", token, "switch", new)));
    assert_string_equal(json_string_value(json_object_get(observed, "observed")), "after");
    check(!folder_has(folder, key_path));
    check_answer(ask(&bench, "request", about(&bench, "a-1", token, "issue", "")), ERR_CONFLICT);
    AUTO(json) json_t *saved = good(ask(&bench, "saved", S("'apply':'a-1'")));
    const json_t *row = json_array_get(json_object_get(saved, "identities"), 0);
    assert_string_equal(json_string_value(json_object_get(row, "certificate")),
                        bench.node.certificate.ptr);
    AUTO(json)
    json_t *der = json_pack("{s:O}", "der", json_array_get(json_object_get(row, "chain"), 0));
    check_str(member(&bench, der, "der"), bench.node.old.cert.der);
    AUTO(json)
    json_t *restored = good(ask(
        &bench, "restore",
        str_printf(bench.arena, "'cluster':'c-1','token':%lld,'apply':'a-1'", (long long)token)));
    /* The pair, what names it, and the two new files that had not been there. */
    check_int(json_integer_value(json_object_get(restored, "restored")), 5);
    check_str(folder_text(folder, bench.node.names),
              str_printf(bench.arena, "%.*s\n%.*s\n", STR_ARG(bench.node.certificate),
                         STR_ARG(bench.node.key)));
}

TEST(a_renewal_that_is_given_up_leaves_no_key)
{
    AUTO(bench) struct bench bench;
    bench_start(&bench);
    struct folder *folder = &bench.node.folder;
    int64_t token = take_lease(&bench);
    str issue = about(&bench, "a-1", token, "issue", "");
    str key_path = folder_at(folder, "state/pending/0123456789abcdef.key");
    check_answer(ask(&bench, "request", issue), ERR_NONE);
    check(folder_has(folder, key_path));
    AUTO(json) json_t *first = good(ask(&bench, "forget", issue));
    check(json_is_true(json_object_get(first, "forgotten")));
    check(!folder_has(folder, key_path));
    AUTO(json) json_t *again = good(ask(&bench, "forget", issue));
    check(json_is_false(json_object_get(again, "forgotten")));
    str outside = str_printf(bench.arena, "'cluster':'c-1','token':%lld,'step':{'id':'../x'}",
                             (long long)token);
    check_answer(ask(&bench, "forget", outside), ERR_FORMAT);
}

TEST(no_answer_holds_a_private_key)
{
    AUTO(bench) struct bench bench;
    bench_start(&bench);
    int64_t token = take_lease(&bench);
    str node = str_printf(bench.arena, "'node':'%.*s','connect':false", STR_ARG(bench.node.text));
    check_answer(ask(&bench, "carry_out", about(&bench, "a-1", token, "snapshot", "")), ERR_NONE);
    AUTO(json) json_t *all = json_array();
    json_array_append_new(all, good(ask(&bench, "look", node)));
    json_array_append_new(all, good(ask(&bench, "saved", S("'apply':'a-1'"))));
    json_array_append_new(all,
                          good(ask(&bench, "request", about(&bench, "a-1", token, "issue", ""))));
    char *text = json_dumps(all, 0);
    str key = bench.node.old.key_pem;
    (void)str_cut(&key, '\n');
    check(strstr(text, "PRIVATE") == NULL);
    check(strstr(text, str_cstr(bench.arena, str_cut(&key, '\n'))) == NULL);
    free(text);
}
