/* SPDX-License-Identifier: Apache-2.0 */
#include "system/generic/haproxy.h"

#include "base/io.h"
#include "tests/folder.h"
#include "tests/pki.h"
#include "tests/test.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* What HAProxy 2.6.12 answers; a real one is asked in tests/system/web.sh. */
struct line {
    const char *command, *answer; /* the command's beginning */
};

struct bench {
    struct folder folder;
    struct pki leaf, root, other;
    struct cluster cluster;
    struct driver_call call;
    const struct service_conf *service;
    str pair, trust, heard; /* paths; `heard` has every command, one after the other */
    bool busy;              /* it takes one connection at a time, and the first after a while */
    pid_t server;
};

static void bench_end(struct bench *bench)
{
    if (bench->server > 0) {
        check_int(kill(bench->server, SIGKILL), 0);
        check_int(waitpid(bench->server, NULL, 0), bench->server);
    }
    folder_close(&bench->folder);
}
DEFINE_AUTO(bench, struct bench, bench_end(handle))

static void bench_make(struct bench *bench)
{
    AUTO(err) struct err err = { 0 };
    *bench = (struct bench){ 0 };
    folder_open(&bench->folder);
    struct arena *arena = &bench->folder.arena;
    bench->root = pki_make(arena, &(struct pki_spec){ .name = "Root", .ca = true });
    bench->other = pki_make(arena, &(struct pki_spec){ .name = "Other", .ca = true });
    bench->leaf = pki_make(arena, &(struct pki_spec){ .name = "www", .issuer = &bench->root });
    bench->pair = folder_put(&bench->folder, "a b.pem",
                             str_printf(arena, "a comment\n\n%.*s\n%.*s", STR_ARG(bench->leaf.pem),
                                        STR_ARG(bench->leaf.key_pem)),
                             0600);
    bench->trust = folder_put(&bench->folder, "trust.pem", bench->root.pem, 0644);
    bench->heard = folder_put(&bench->folder, "heard", S(""), 0600);
    str text = str_printf(
        arena,
        "{nodes: {n: {stores: {pair: {certificate: \"%.*s\", key: \"%.*s\"}, two: "
        "{certificate: /t.crt, key: /t.key}, trust: {certificates: %.*s}}, "
        "services: {lb: {admin: %.*s/sock}, other: {admin: %.*s/sock}, else: {admin: /s}}}}}",
        STR_ARG(bench->pair), STR_ARG(bench->pair), STR_ARG(bench->trust),
        STR_ARG(bench->folder.path), STR_ARG(bench->folder.path));
    check_ok(cluster_parse(arena, "/n.yaml", text, true, &bench->cluster, &err), &err);
    bench->call = (struct driver_call){ .arena = arena, .node = &bench->cluster.nodes.items[0] };
    bench->service = &bench->call.node->services.items[0];
}

static void answer(struct bench *bench, int client, const struct line *lines)
{
    char space[16384];
    size_t len = 0;
    for (ssize_t got; len < sizeof(space) - 1; len += (size_t)got) {
        got = recv(client, space + len, sizeof(space) - 1 - len, len == 0 ? 0 : MSG_DONTWAIT);
        if (got <= 0)
            break;
        usleep(2000);
    }
    space[len] = '\0';
    FILE *heard = fopen(bench->heard.ptr, "a");
    (void)fwrite(space, 1, len, heard);
    (void)fclose(heard);
    for (; lines->command != NULL; lines++)
        if (strncmp(space, lines->command, strlen(lines->command)) == 0)
            break;
    const char *words = lines->command == NULL ? "Unknown command\n" : lines->answer;
    (void)!write(client, words, strlen(words));
}

/* A child that answers as `lines` say, until it is ended. */
static void serve(struct bench *bench, const struct line *lines)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock", bench->folder.path.ptr);
    check_int(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
    check_int(listen(listener, bench->busy ? 0 : 8), 0);
    bench->server = fork();
    if (bench->server == 0 && bench->busy)
        usleep(100 * 1000);
    for (; bench->server == 0;) {
        int client = accept(listener, NULL, NULL);
        answer(bench, client, lines);
        close(client);
    }
    close(listener);
}

static const char *text(struct bench *bench, const char *before, str part, const char *after)
{
    return str_printf(&bench->folder.arena, "%s%.*s%s", before, STR_ARG(part), after).ptr;
}

static str digest(struct bench *bench, const struct pki *pki)
{
    return haproxy_digest(&bench->folder.arena, &pki->cert);
}

/* What it shows of a file that holds the certificate of `pki`. */
static const char *shown(struct bench *bench, const struct pki *pki, const char *status)
{
    str head = str_printf(&bench->folder.arena,
                          "Filename: x\nStatus: %s\n \nCertificate #1:\n"
                          "SHA1 FingerPrint: ",
                          status);
    return text(bench, head.ptr, digest(bench, pki), "\nSubject: /CN=x\n");
}

TEST(what_differs_is_sent_without_what_is_not_pem_and_committed_and_the_rest_is_left)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    size_t count;
    bench_make(&bench);
    // clang-format off
    const struct line lines[] = {
        { "show ssl cert\n", text(&bench, "# filename\n", bench.pair, "\n/else.pem\n\n") },
        { "show ssl ca-file\n", text(&bench, "# filename\n", bench.trust, " - 1 certificate(s)\n@system-ca - 144 certificate(s)\n\n") },
        { "show ssl crl-file\n", "# filename\n\n" },
        { "show ssl cert ", shown(&bench, &bench.other, "Used") },
        { "show ssl ca-file ", shown(&bench, &bench.root, "Used") },
        { "set ssl cert", "Transaction created for certificate x!\n\n" },
        { "commit ssl cert", "Committing x\nSuccess!\n\n" },
        { NULL, NULL },
    };
    // clang-format on
    serve(&bench, lines);
    check_ok(haproxy_load(&bench.call, bench.service, &count, &err), &err);
    check_int(count, 1);
    str folder = bench.folder.path;
    str want = str_printf(
        &bench.folder.arena,
        "show ssl cert\nshow ssl ca-file\nshow ssl crl-file\nshow ssl cert\nshow ssl cert "
        "%.*s/a\\ b.pem\nset ssl cert %.*s/a\\ b.pem "
        "<<\n%.*s%.*s\ncommit ssl cert %.*s/a\\ b.pem\nshow ssl ca-file\nshow ssl ca-file "
        "%.*s/trust.pem\nshow ssl crl-file\n",
        STR_ARG(folder), STR_ARG(folder), STR_ARG(bench.leaf.pem), STR_ARG(bench.leaf.key_pem),
        STR_ARG(folder), STR_ARG(folder));
    check_str(folder_text(&bench.folder, bench.heard), want);
}

TEST(what_it_cannot_take_as_a_whole_while_it_runs_needs_a_reload)
{
    static const struct {
        bool pair, trust; /* differs */
        size_t clients;   /* the service that verifies them by the trust store; 3: none */
        const char *status;
        enum haproxy_need need;
    } cases[] = {
        {false,  true,  0, "Used",   OF_CLIENT_ISSUERS},
        { false, true,  1, "Used",   OF_CLIENT_ISSUERS},
        { false, true,  2, "Used",   OF_NOTHING       },
        { false, true,  3, "Used",   OF_NOTHING       },
        { true,  false, 3, "Used",   OF_NOTHING       },
        { true,  true,  0, "Unused", OF_CERTIFICATE   },
        { false, false, 0, "Unused", OF_NOTHING       },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(bench) struct bench bench;
        AUTO(err) struct err err = { 0 };
        enum haproxy_need need;
        str name;
        bench_make(&bench);
        struct node_conf *node = &bench.cluster.nodes.items[0];
        if (cases[i].clients < node->services.count)
            list_push(&bench.folder.arena, &node->services.items[cases[i].clients].trust) =
                S("trust");
        // clang-format off
        const struct line lines[] = {
            { "show ssl cert\n", text(&bench, "# filename\n", bench.pair, "\n") },
            { "show ssl ca-file\n", "# filename\ntrust.pem - 1 certificate(s)\n" },
            { "show ssl crl-file\n", "# filename\n\n" },
            { "show ssl cert ", shown(&bench, cases[i].pair ? &bench.other : &bench.leaf, cases[i].status) },
            { "show ssl ca-file ", shown(&bench, cases[i].trust ? &bench.other : &bench.root, "Used") },
            { NULL, NULL },
        };
        // clang-format on
        serve(&bench, lines);
        check_ok(haproxy_needs_reload(&bench.call, bench.service, &need, &name, &err), &err);
        check_int(need, cases[i].need);
        check_str(name, need == OF_NOTHING          ? S("")
                        : need == OF_CLIENT_ISSUERS ? S("trust.pem")
                                                    : bench.pair);
    }
}

TEST(a_transaction_that_was_left_open_is_ended_first_and_a_refusal_is_quoted)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    size_t count;
    bench_make(&bench);
    const char *names = text(&bench, "\n# filename\n", bench.pair, "\n");
    // clang-format off
    const struct line lines[] = {
        { "show ssl cert\n", text(&bench, "# transaction\n*", bench.pair, names) },
        { "show ssl cert ", shown(&bench, &bench.other, "Used") },
        { "show ssl", "# filename\n\n" },
        { "abort ssl cert", "Transaction aborted for certificate 'x'!\n\n" },
        { "set ssl cert", "unable to load certificate from file 'x'.\nCan't update x!\n\n" },
        { NULL, NULL },
    };
    // clang-format on
    serve(&bench, lines);
    check(!haproxy_load(&bench.call, bench.service, &count, &err));
    check_int(err.kind, ERR_SYSTEM);
    check(str_find(str_c(err.msg), S("HAProxy: unable to load certificate from file 'x'.")) <
          str_c(err.msg).len);
    str heard = folder_text(&bench.folder, bench.heard);
    check(str_find(heard, S("abort ssl cert ")) < str_find(heard, S("set ssl cert ")));
}

static void check_loaded(const struct pki *pair, const struct pki *anchor, const char *differs,
                         struct bench *bench)
{
    AUTO(err) struct err err = { 0 };
    // clang-format off
    const struct line lines[] = {
        { "show ssl cert\n", text(bench, "# filename\n", bench->pair, "\n") },
        { "show ssl ca-file\n", "# filename\ntrust.pem - 1 certificate(s)\n" },
        { "show ssl cert ", shown(bench, pair, "Used") },
        { "show ssl ca-file trust.pem\n", shown(bench, anchor, "Used") },
        { "show ssl crl-file\n", "# filename\n\n" },
        { NULL, NULL },
    };
    // clang-format on
    bool loaded;
    str store;
    serve(bench, lines);
    check_ok(haproxy_has_loaded(&bench->call, bench->service, &loaded, &store, &err), &err);
    check_int(loaded, differs == NULL);
    if (!loaded)
        check_str(store, str_c(differs));
}

TEST(what_is_loaded_is_compared_by_digest_and_the_store_that_differs_is_named)
{
    AUTO(bench) struct bench all;
    AUTO(bench) struct bench old_pair;
    AUTO(bench) struct bench old_anchors;
    bench_make(&all);
    bench_make(&old_pair);
    bench_make(&old_anchors);
    check_loaded(&all.leaf, &all.root, NULL, &all);
    check_loaded(&old_pair.other, &old_pair.root, "pair", &old_pair);
    check_loaded(&old_anchors.leaf, &old_anchors.other, "trust", &old_anchors);
}

TEST(a_file_that_two_lines_name_differently_is_loaded_when_both_have_it)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    str_list digests = { 0 };
    size_t count;
    bool loaded, known;
    str store;
    bench_make(&bench);
    const char *names = text(&bench, "# filename\n", bench.trust,
                             " - 1 certificate(s)\ntrust.pem - 1 certificate(s)\n");
    // clang-format off
    const struct line lines[] = {
        { "show ssl cert\n", "# filename\n\n" },
        { "show ssl ca-file\n", names },
        { "show ssl ca-file trust.pem\n", shown(&bench, &bench.other, "Used") },
        { "show ssl ca-file /", shown(&bench, &bench.root, "Used") },
        { "show ssl crl-file\n", "# filename\n\n" },
        { "set ssl ca-file trust.pem", "transaction created for CA trust.pem!\n" },
        { "commit ssl ca-file trust.pem", "Committing trust.pem\nSuccess!\n\n" },
        { NULL, NULL },
    };
    // clang-format on
    serve(&bench, lines);
    check_ok(haproxy_has_loaded(&bench.call, bench.service, &loaded, &store, &err), &err);
    check(!loaded);
    check_ok(haproxy_digests(&bench.call, bench.service, &bench.call.node->stores.items[2],
                             &digests, &known, &err),
             &err);
    check(known);
    check_int(digests.count, 1);
    check_str(digests.items[0], digest(&bench, &bench.other));
    check_ok(haproxy_load(&bench.call, bench.service, &count, &err), &err);
    check_int(count, 1);
}

TEST(what_it_says_before_it_hangs_up_on_a_long_file_is_the_error)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    struct buf many = { 0 };
    size_t count;
    bench_make(&bench);
    for (size_t i = 0; i < 512; i++) /* more than a socket takes at once */
        buf_add(&bench.folder.arena, &many, bench.leaf.pem);
    bench.pair = folder_put(&bench.folder, "a b.pem", buf_str(&many), 0600);
    // clang-format off
    const struct line lines[] = {
        { "show ssl cert\n", text(&bench, "# filename\n", bench.pair, "\n") },
        { "show ssl cert ", shown(&bench, &bench.other, "Used") },
        { "show ssl", "# filename\n\n" },
        { "set ssl cert", "The payload is too long.\n" },
        { NULL, NULL },
    };
    // clang-format on
    serve(&bench, lines);
    void (*before)(int) = signal(SIGPIPE, SIG_DFL);
    check(!haproxy_load(&bench.call, bench.service, &count, &err));
    (void)signal(SIGPIPE, before);
    check(str_find(str_c(err.msg), S("HAProxy: The payload is too long.")) < str_c(err.msg).len);
}

static void rung(int number)
{
    (void)number;
}

/* As many connections as wait in a row, so that the next connect() has to; each has said all. */
static void fill(const struct bench *bench, int fds[4])
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s/sock", bench->folder.path.ptr);
    for (size_t i = 0; i < 4; i++) {
        fds[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (connect(fds[i], (struct sockaddr *)&address, sizeof(address)) == 0)
            check_int(shutdown(fds[i], SHUT_WR), 0);
    }
}

TEST(a_signal_while_it_is_busy_is_no_answer)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    bool loaded = false;
    str store;
    int fds[4];
    static const struct line lines[] = {
        {"show ssl", "# filename\n\n"},
        { NULL,      NULL            },
    };
    bench_make(&bench);
    bench.busy = true;
    serve(&bench, lines);
    fill(&bench, fds);
    struct sigaction ring = { .sa_handler = rung }, before;
    struct itimerval often = { { 0, 5000 }, { 0, 5000 } }, never = { 0 };
    check_int(sigaction(SIGALRM, &ring, &before), 0);
    check_int(setitimer(ITIMER_REAL, &often, NULL), 0);
    bool good = haproxy_has_loaded(&bench.call, bench.service, &loaded, &store, &err);
    check_int(setitimer(ITIMER_REAL, &never, NULL), 0);
    check_int(sigaction(SIGALRM, &before, NULL), 0);
    for (size_t i = 0; i < COUNT(fds); i++)
        close(fds[i]);
    check_ok(good, &err);
    check(loaded);
}

TEST(a_digest_is_sha1_of_the_certificate_as_haproxy_writes_it)
{
    AUTO(arena) struct arena arena = { 0 };
    struct cert cert = { .der = S("abc") }; /* FIPS 180-2, A.1 */
    check_str(haproxy_digest(&arena, &cert), S("A9993E364706816ABA3E25717850C26C9CD0D89D"));
}

TEST(an_admin_socket_that_is_not_there_is_named)
{
    AUTO(bench) struct bench bench;
    AUTO(err) struct err err = { 0 };
    bool loaded;
    str store;
    bench_make(&bench);
    check(!haproxy_has_loaded(&bench.call, bench.service, &loaded, &store, &err));
    check(str_find(str_c(err.msg), S("/sock: No such file or directory")) < str_c(err.msg).len);
}
