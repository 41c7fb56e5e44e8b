/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/probe.h"

#include "base/io.h"
#include "tests/pki.h"
#include "tests/test.h"
#include "x509/auto.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>

/* A server for one connection. Its TLS is OpenSSL's own; nothing of it is shared with the probe. */
struct server {
    int listener;
    uint16_t port;
    const struct pki *leaf, *extra; /* leaf NULL: never speaks TLS; extra: sent behind the leaf */
    const struct pki *client_ca;    /* require a client certificate from it */
    int version;
    const str
        *plain;   /* answers before TLS, one per read, ended by ptr NULL; a first one of "" waits */
    bool greets;  /* the first answer comes unasked */
    size_t takes; /* bytes of each read before TLS, which may follow at once; 0: what there is */
    str answer;   /* after one read through TLS */
    bool cuts;    /* takes any or no client certificate, then closes without a word */
    pthread_t thread;
};

static void add_root(SSL_CTX *context, const struct pki *root)
{
    AUTO(X509) X509 *x509 = cert_x509(&root->cert);
    check_int(X509_STORE_add_cert(SSL_CTX_get_cert_store(context), x509), 1);
    check_int(SSL_CTX_add_client_CA(context, x509), 1);
}

static SSL_CTX *server_context(const struct server *server)
{
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    AUTO(X509) X509 *x509 = cert_x509(&server->leaf->cert);
    AUTO(EVP_PKEY) EVP_PKEY *key = pki_key(server->leaf);
    check_int(SSL_CTX_use_certificate(context, x509), 1);
    check_int(SSL_CTX_use_PrivateKey(context, key), 1);
    if (server->extra != NULL)
        check_int(SSL_CTX_add0_chain_cert(context, cert_x509(&server->extra->cert)), 1);
    SSL_CTX_set_mode(context, SSL_MODE_NO_AUTO_CHAIN);
    if (server->version != 0)
        SSL_CTX_set_max_proto_version(context, server->version);
    if (server->version != 0)
        SSL_CTX_set_min_proto_version(context, server->version);
    if (server->client_ca != NULL) {
        add_root(context, server->client_ca);
        int must = server->cuts ? 0 : SSL_VERIFY_FAIL_IF_NO_PEER_CERT;
        SSL_CTX_set_verify(context, SSL_VERIFY_PEER | must, NULL);
    }
    return context;
}

static void serve_tls(const struct server *server, int fd)
{
    char bytes[512];
    AUTO(SSL_CTX) SSL_CTX *context = server_context(server);
    AUTO(SSL) SSL *ssl = SSL_new(context);
    SSL_set_fd(ssl, fd);
    if (SSL_accept(ssl) == 1 && !server->cuts && SSL_read(ssl, bytes, sizeof(bytes)) > 0 &&
        server->answer.len > 0) {
        SSL_write(ssl, server->answer.ptr, (int)server->answer.len);
        SSL_read(ssl, bytes, sizeof(bytes));
    }
    /* Read what is left, or closing resets the connection and takes the alert with it. */
    shutdown(fd, SHUT_WR);
    while (recv(fd, bytes, sizeof(bytes), 0) > 0)
        ;
    ERR_clear_error();
}

static void *serve(void *data)
{
    struct server *server = data;
    char bytes[512];
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    AUTO(fd) int fd = accept(server->listener, NULL, NULL);
    struct timeval limit = { .tv_sec = 10 };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    size_t takes = server->takes > 0 ? server->takes : sizeof(bytes);
    int wait = server->takes > 0 ? MSG_WAITALL : 0;
    for (const str *at = server->plain; at != NULL && at->ptr != NULL; at++) {
        if (!(server->greets && at == server->plain) && recv(fd, bytes, takes, wait) <= 0)
            return NULL;
        send(fd, at->ptr, at->len, MSG_NOSIGNAL);
    }
    if (server->leaf != NULL)
        serve_tls(server, fd);
    else
        while (recv(fd, bytes, sizeof(bytes), 0) > 0)
            ;
    return NULL;
}

static uint16_t listen_on(int *ret_fd)
{
    struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t size = sizeof(at);
    *ret_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    check_int(bind(*ret_fd, (struct sockaddr *)&at, size), 0);
    check_int(getsockname(*ret_fd, (struct sockaddr *)&at, &size), 0);
    return ntohs(at.sin_port);
}

/* Everything that the cases share, made once per test. */
struct world {
    struct arena arena;
    struct pki root, other, expired_root;
    struct pki server, expired, lone, self, client, client_expired, client_other, rotated;
    char dir[32];
};

static struct pki make(struct world *world, const char *name, const struct pki *issuer, int days)
{
    moment now = clock_now();
    return pki_make(&world->arena,
                    &(struct pki_spec){ .name = name,
                                        .issuer = issuer,
                                        .ca = issuer == NULL,
                                        .san = issuer == NULL ? NULL : "DNS:localhost,IP:127.0.0.1",
                                        .not_before = now - 400 * PKI_DAY,
                                        .not_after = now + days * PKI_DAY });
}

static void world_make(struct world *world)
{
    *world = (struct world){ .dir = "/tmp/reseal-test-XXXXXX" };
    check(mkdtemp(world->dir) != NULL);
    world->root = make(world, "Root", NULL, 100);
    world->other = make(world, "Other", NULL, 100);
    world->rotated = make(world, "Root", NULL, 100);
    world->expired_root = make(world, "Old Root", NULL, -1);
    world->server = make(world, "db1", &world->root, 50);
    world->expired = make(world, "db1", &world->root, -1);
    world->lone = make(world, "db1", &world->expired_root, 50);
    world->self = pki_make(&world->arena, &(struct pki_spec){ .name = "db1",
                                                              .san = "DNS:localhost,IP:127.0.0.1",
                                                              .not_before = clock_now() - PKI_DAY,
                                                              .not_after = clock_now() + PKI_DAY });
    world->client = make(world, "postgres", &world->root, 50);
    world->client_expired = make(world, "postgres", &world->root, -1);
    world->client_other = make(world, "postgres", &world->other, 50);
}

static void world_end(struct world *world)
{
    rmdir(world->dir);
    arena_free(&world->arena);
}

static struct probe_request asking(const struct server *server, const struct pki *trust)
{
    return (struct probe_request){ .host = S("127.0.0.1"),
                                   .port = server->port,
                                   .protocol = S("tls"),
                                   .verify = PROBE_VERIFY_FULL,
                                   .trust_pem = trust == NULL ? S("") : trust->pem,
                                   .timeout_ms = 8000 };
}

static struct probe_result run(struct world *world, struct probe_request request,
                               const struct pki *identity)
{
    AUTO(err) struct err err = { 0 };
    struct probe_result result;
    if (identity != NULL) {
        request.certificate_pem = identity->pem;
        request.key_path = str_printf(&world->arena, "%s/key", world->dir);
        check_ok(io_replace(request.key_path.ptr, identity->key_pem,
                            (struct io_owner){ (uid_t)-1, (gid_t)-1, 0600 }, &err),
                 &err);
    }
    check_ok(probe_run(&world->arena, &request, &result, &err), &err);
    if (identity != NULL)
        unlink(request.key_path.ptr);
    check_int(ERR_peek_error(), 0);
    return result;
}

static void start(struct server *server)
{
    server->port = listen_on(&server->listener);
    check_int(listen(server->listener, 1), 0);
    check_int(pthread_create(&server->thread, NULL, serve, server), 0);
}

static void stop(struct server *server)
{
    pthread_join(server->thread, NULL);
    close(server->listener);
}

struct expectation {
    enum probe_outcome outcome;
    enum cause cause;
    int alert; /* received; -1: none */
    bool late;
};

static void expect(const struct probe_result *got, struct expectation want)
{
    if (got->outcome != want.outcome || got->cause != want.cause ||
        got->alert_received != want.alert || got->late != want.late)
        fail_msg("%s, cause %d, alert %d, late %d: %.*s", probe_outcome_name(got->outcome),
                 got->cause, got->alert_received, got->late, STR_ARG(got->text));
}

static const int versions[] = { TLS1_2_VERSION, TLS1_3_VERSION };

static void mutual(struct world *world, int version, const struct pki *identity,
                   struct expectation want)
{
    struct server server = { .leaf = &world->server,
                             .client_ca = &world->root,
                             .version = version };
    start(&server);
    struct probe_result got = run(world, asking(&server, &world->root), identity);
    stop(&server);
    expect(&got, want);
    check(got.client_certificate_requested);
    check_int(got.acceptable_cas.count, 1);
    check_str(got.acceptable_cas.items[0], S("CN=Root"));
    check_int(got.chain.count, 1);
    check_str(got.chain.items[0].sha256, world->server.cert.sha256);
}

TEST(a_client_certificate_is_judged_by_the_server_late_in_tls_1_3_and_at_once_in_1_2)
{
    struct world world;
    world_make(&world);
    for (size_t i = 0; i < COUNT(versions); i++) {
        int version = versions[i];
        bool late = version == TLS1_3_VERSION;
        mutual(&world, version, &world.client,
               (struct expectation){ PROBE_ACCEPTED, CAUSE_none, -1 });
        mutual(&world, version, NULL,
               (struct expectation){ PROBE_REFUSED_BY_PEER, CAUSE_client_cert_missing,
                                     late ? 116 : 40, late });
        mutual(&world, version, &world.client_expired,
               (struct expectation){ PROBE_REFUSED_BY_PEER, CAUSE_client_cert_expired, 45, late });
        mutual(
            &world, version, &world.client_other,
            (struct expectation){ PROBE_REFUSED_BY_PEER, CAUSE_client_ca_not_accepted, 48, late });
    }
    world_end(&world);
}

TEST(a_server_that_cuts_the_connection_without_an_alert_is_quoted_with_what_it_had_asked_for)
{
    static const char *const texts[] = {
        "unexpected eof while reading after the handshake, without an answer; the server had asked "
        "for a client certificate and got none",
        "unexpected eof while reading after the handshake, without an answer; the server had asked "
        "for a client certificate and got ours",
    };
    struct world world;
    world_make(&world);
    for (size_t i = 0; i < COUNT(texts); i++) {
        struct server server = {
            .leaf = &world.server, .client_ca = &world.root, .version = TLS1_3_VERSION, .cuts = true
        };
        start(&server);
        struct probe_result got =
            run(&world, asking(&server, &world.root), i == 0 ? NULL : &world.client);
        stop(&server);
        expect(&got, (struct expectation){ PROBE_FAILED, CAUSE_none, -1 });
        check_str(got.text, str_c(texts[i]));
    }
    world_end(&world);
}

static void verify_case(struct world *world, const struct pki *leaf, const struct pki *extra,
                        const struct pki *trust, str name, enum cause cause)
{
    for (size_t i = 0; i < COUNT(versions); i++) {
        struct server server = { .leaf = leaf, .extra = extra, .version = versions[i] };
        start(&server);
        struct probe_request request = asking(&server, trust);
        request.name = name;
        struct probe_result got = run(world, request, NULL);
        stop(&server);
        bool ok = cause == CAUSE_none;
        expect(&got, (struct expectation){ ok ? PROBE_ACCEPTED : PROBE_REFUSED_BY_US, cause, -1 });
        check(ok == (got.verify_error == X509_V_OK) && ok == (got.alert_sent == -1));
        check_int(got.chain.count, extra == NULL ? 1 : 2);
        check_str(got.chain.items[0].sha256, leaf->cert.sha256);
    }
}

TEST(what_is_wrong_with_the_server_s_certificate_is_named_and_its_chain_is_kept)
{
    struct world world;
    world_make(&world);
    str none = S(""), name = S("localhost"), wrong = S("elsewhere.example"), ip = S("127.0.0.2");
    verify_case(&world, &world.server, NULL, &world.root, none, CAUSE_none);
    verify_case(&world, &world.server, NULL, &world.root, name, CAUSE_none);
    verify_case(&world, &world.server, NULL, &world.root, wrong, CAUSE_hostname_mismatch);
    verify_case(&world, &world.server, NULL, &world.root, ip, CAUSE_hostname_mismatch);
    verify_case(&world, &world.expired, NULL, &world.root, none, CAUSE_leaf_expired);
    verify_case(&world, &world.lone, NULL, &world.expired_root, none, CAUSE_root_expired);
    verify_case(&world, &world.server, NULL, &world.other, none, CAUSE_issuer_unknown);
    verify_case(&world, &world.server, &world.root, &world.other, none, CAUSE_issuer_unknown);
    verify_case(&world, &world.server, &world.client, &world.other, none, CAUSE_chain_incomplete);
    verify_case(&world, &world.server, NULL, &world.rotated, none,
                CAUSE_truststore_stale_after_rotation);
    verify_case(&world, &world.self, NULL, &world.root, none, CAUSE_self_signed_untrusted);
    verify_case(&world, &world.server, NULL, NULL, none, CAUSE_truststore_empty);
    world_end(&world);
}

TEST(without_verification_the_handshake_goes_on_and_the_first_error_is_recorded)
{
    struct world world;
    world_make(&world);
    struct server server = { .leaf = &world.expired };
    start(&server);
    struct probe_request request = asking(&server, &world.root);
    request.verify = PROBE_VERIFY_NONE;
    struct probe_result got = run(&world, request, NULL);
    stop(&server);
    expect(&got, (struct expectation){ PROBE_ACCEPTED, CAUSE_none, -1 });
    check_int(got.verify_error, X509_V_ERR_CERT_HAS_EXPIRED);
    check_str(got.version, S("TLSv1.3"));
    world_end(&world);
}

TEST(a_server_that_has_no_common_version_is_told_from_other_failures)
{
    struct world world;
    world_make(&world);
    struct server server = { .leaf = &world.server, .version = TLS1_2_VERSION };
    start(&server);
    struct probe_request request = asking(&server, &world.root);
    request.min_version = TLS1_3_VERSION;
    struct probe_result got = run(&world, request, NULL);
    stop(&server);
    expect(&got,
           (struct expectation){ PROBE_REFUSED_BY_PEER, CAUSE_protocol_version_mismatch, 70 });
    world_end(&world);
}

TEST(plain_text_silence_and_a_closed_port_are_three_different_outcomes)
{
    struct world world;
    world_make(&world);
    static const str plain[] = {
        {"220 hello\r\n", 11},
        { NULL,           0 }
    };
    struct server talker = { .plain = plain, .greets = true };
    start(&talker);
    struct probe_result got = run(&world, asking(&talker, &world.root), NULL);
    stop(&talker);
    expect(&got, (struct expectation){ PROBE_NOT_TLS, CAUSE_tls_on_plaintext_port, -1 });

    struct server silent = { 0 };
    start(&silent);
    struct probe_request request = asking(&silent, &world.root);
    request.timeout_ms = 100;
    got = run(&world, request, NULL);
    stop(&silent);
    expect(&got, (struct expectation){ PROBE_TIMEOUT, CAUSE_none, -1 });

    struct server closed = { 0 };
    closed.port = listen_on(&closed.listener); /* bound, so nobody else has it; not listening */
    got = run(&world, asking(&closed, &world.root), NULL);
    close(closed.listener);
    expect(&got, (struct expectation){ PROBE_UNREACHABLE, CAUSE_none, -1 });
    world_end(&world);
}

static str pg_message(struct arena *arena, char type, str body)
{
    char header[] = { type, 0, 0, (char)((body.len + 4) >> 8), (char)(body.len + 4) };
    struct buf buf = { 0 };
    buf_add(arena, &buf, (str){ header, sizeof(header) });
    buf_add(arena, &buf, body);
    return buf_str(&buf);
}

TEST(postgresql_s_own_words_decide_after_the_handshake)
{
    // clang-format off
    static const struct { char type; str body; struct expectation want; } cases[] = {
        { 'R', { "\0\0\0\0", 4 },  { PROBE_ACCEPTED, CAUSE_none, -1, false } },
        { 'R', { "\0\0\0\12", 4 }, { PROBE_ACCEPTED, CAUSE_none, -1, false } },
        { 'E', { "SFATAL\0C28000\0Mconnection requires a valid client certificate\0\0", 63 },
          { PROBE_REFUSED_BY_PEER, CAUSE_client_cert_missing, -1, true } },
        { 'E', { "SFATAL\0Mcertificate authentication failed for user \"a\"\0\0", 56 },
          { PROBE_REFUSED_BY_PEER, CAUSE_client_identity_not_authorised, -1, true } },
        { 'E', { "Mpassword authentication failed for user \"a\"\0\0", 46 },
          { PROBE_ACCEPTED, CAUSE_none, -1, false } },
        { 'E', { "Mno pg_hba.conf entry for host\0\0", 32 },
          { PROBE_REFUSED_BY_PEER, CAUSE_not_tls, -1, true } },
        { 'E', { "Mthe database system is starting up\0\0", 37 },
          { PROBE_REFUSED_BY_PEER, CAUSE_not_tls, -1, true } },
    };
    // clang-format on
    static const str plain[] = {
        {"S",   1},
        { NULL, 0}
    };
    struct world world;
    world_make(&world);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct server server = { .leaf = &world.server, .plain = plain };
        server.answer = pg_message(&world.arena, cases[i].type, cases[i].body);
        start(&server);
        struct probe_request request = asking(&server, &world.root);
        request.protocol = S("postgresql");
        struct probe_result got = run(&world, request, NULL);
        stop(&server);
        expect(&got, cases[i].want);
    }
    world_end(&world);
}

TEST(each_protocol_s_dialogue_reaches_tls_or_says_that_there_is_none)
{
    // clang-format off
    static const struct { const char *protocol; bool greets; str plain[4]; str answer; bool tls; size_t takes; } cases[] = {
        { "postgresql", false, { { "N", 1 } }, { NULL, 0 }, false },
        { "smtp", true, { { "220 x\r\n", 7 }, { "250-x\r\n250 STARTTLS\r\n", 21 }, { "220 go\r\n", 8 } },
          { "250 x\r\n", 7 }, true },
        { "smtp", true, { { "220 x\r\n", 7 }, { "250 x\r\n", 7 }, { "502 no\r\n", 8 } }, { NULL, 0 }, false },
        { "imap", true, { { "* OK x\r\n", 8 }, { "* x\r\na1 OK go\r\n", 15 } }, { "a2 OK\r\n", 7 }, true },
        { "pop3", true, { { "+OK x\r\n", 7 }, { "+OK go\r\n", 8 } }, { "-ERR x\r\n", 8 }, true },
        { "ldap", false, { { "\x30\x0c\2\1\1\x78\7\x0a\1\0\4\0\4\0", 14 } },
          { "\x30\x0c\2\1\2\x65\7\x0a\1\x32\4\0\4\0", 14 }, true },
        { "ldap", false, { { "\x30\x0c\2\1\1\x78\7\x0a\1\2\4\0\4\0", 14 } }, { NULL, 0 }, false },
        { "mysql", true, { { "\x14\0\0\0\x0a" "11\0" "1234" "12345678" "\0\0\x08\0", 24 }, { "", 0 } },
          { "\x04\0\0\3\xff\x15\4x", 8 }, true, 36 },
        { "mysql", true, { { "\x14\0\0\0\x0a" "11\0" "1234" "12345678" "\0\xff\xf7\0", 24 } }, { NULL, 0 }, false },
        { "ftp",  true, { { "220-x\r\n220 x\r\n", 14 }, { "234 go\r\n", 8 } }, { "530 x\r\n", 7 }, true },
    };
    // clang-format on
    struct world world;
    world_make(&world);
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct server server = { .leaf = cases[i].tls ? &world.server : NULL,
                                 .plain = cases[i].plain,
                                 .greets = cases[i].greets,
                                 .takes = cases[i].takes,
                                 .answer = cases[i].answer };
        start(&server);
        struct probe_request request = asking(&server, &world.root);
        request.protocol = str_c(cases[i].protocol);
        struct probe_result got = run(&world, request, NULL);
        stop(&server);
        expect(&got, cases[i].tls
                         ? (struct expectation){ PROBE_ACCEPTED, CAUSE_none, -1 }
                         : (struct expectation){ PROBE_NOT_TLS, CAUSE_tls_on_plaintext_port, -1 });
    }
    world_end(&world);
}

TEST(a_request_that_makes_no_sense_is_an_error_and_not_a_result)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct probe_result result;
    struct probe_request request = { .host = S("127.0.0.1"), .port = 1, .protocol = S("gopher") };
    check_err(probe_run(&arena, &request, &result, &err), &err, "unknown protocol \"gopher\"");
    err_clear(&err);
    request.protocol = S("tls");
    request.trust_pem = S("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    check(!probe_run(&arena, &request, &result, &err));
    check_int(err.kind, ERR_CRYPTO);
}

TEST(the_json_of_a_probe_has_nulls_where_nothing_was_seen)
{
    char *text = NULL;
    size_t len = 0;
    struct probe_result result = { .outcome = PROBE_TIMEOUT,
                                   .alert_received = 45,
                                   .alert_sent = -1 };
    {
        AUTO(file) FILE *out = open_memstream(&text, &len);
        struct emit emit = { .out = out, .one_line = true };
        probe_emit(&emit, NULL, &result);
    }
    check(strstr(text, "\"timeout\"") != NULL && strstr(text, "45") != NULL);
    check(str_find((str){ text, len }, S("null")) < len);
    free(text);
}
