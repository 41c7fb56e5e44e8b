/* SPDX-License-Identifier: Apache-2.0 */
/*
 * end - one end of a TLS connection by OpenSSL: a small program as many are, and the neutral peer
 * of the other stacks' programs.
 *
 * Reads one job a line from standard input, tabs between its fields (the protocol is in
 * docs/fidelity.md), and answers on standard output:
 *
 *     serve ID [chain=PEM key=PEM] [ca=PEM] [crl=PEM] [auth=none|optional|required] ...
 *     -> ID listening PORT, and for its first connection: ID server OUTCOME CODE TEXT
 *     dial ID port=PORT name=NAME [chain= key=] [ca=] [crl=] verify=none|ca|full ...
 *     -> ID client OUTCOME CODE TEXT
 *
 * Both take tls=1.2|1.3, proto=http|postgresql and lenient=1: that one sends whatever it is told
 * to, judges nobody, and takes keys and signatures that OpenSSL finds weak. OUTCOME is accepted
 * only where the application answered. CODE is what tells why not: verify:ERROR@leaf, @between or
 * @anchor; alert:NUMBER that came from the other end; own:REASON where this end cannot begin; or
 * OpenSSL's number of a reason.
 */
#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

enum { FIELDS = 24, SECONDS = 8, TEXT = 256 };

struct job {
    char *line, *fields[FIELDS];
    size_t count;
    int listener;
    SSL_CTX *ctx;
};

struct outcome {
    bool accepted;
    char code[64], text[TEXT];
    char refused[64]; /* what the verification said first */
};

static const char *get(const struct job *job, const char *key)
{
    size_t len = strlen(key);
    for (size_t i = 2; i < job->count; i++)
        if (strncmp(job->fields[i], key, len) == 0 && job->fields[i][len] == '=')
            return job->fields[i] + len + 1;
    return NULL;
}

static bool is(const struct job *job, const char *key, const char *value)
{
    const char *has = get(job, key);
    return has != NULL && strcmp(has, value) == 0;
}

/* Lines of several threads stay whole: one printf each. */
static void say(const struct job *job, const char *side, const struct outcome *outcome)
{
    printf("%s\t%s\t%s\t%s\t%s\n", job->fields[1], side, outcome->accepted ? "accepted" : "refused",
           outcome->code, outcome->text);
    fflush(stdout);
}

static const char *place(X509_STORE_CTX *store)
{
    int depth = X509_STORE_CTX_get_error_depth(store);
    int last = sk_X509_num(X509_STORE_CTX_get0_chain(store)) - 1;
    if (depth == 0)
        return "leaf";
    return depth == last && depth >= X509_STORE_CTX_get_num_untrusted(store) ? "anchor" : "between";
}

static int remember(int good, X509_STORE_CTX *store)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct outcome *outcome = SSL_get_app_data(ssl);
    int error = X509_STORE_CTX_get_error(store);
    if (!good && outcome->refused[0] == '\0') {
        snprintf(outcome->refused, sizeof(outcome->refused), "verify:%d@%s", error, place(store));
        snprintf(outcome->text, TEXT, "%s", X509_verify_cert_error_string(error));
    }
    return good;
}

static int let_pass(int good, X509_STORE_CTX *store)
{
    (void)good;
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
}

static bool set_verify(const struct job *job, SSL_CTX *ctx, bool server)
{
    const char *ca = get(job, "ca"), *crl = get(job, "crl");
    bool lenient = get(job, "lenient") != NULL;
    int mode = SSL_VERIFY_NONE;
    if (server && (is(job, "auth", "optional") || is(job, "auth", "required")))
        mode = is(job, "auth", "required") && !lenient
                   ? SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT
                   : SSL_VERIFY_PEER;
    if (!server && !is(job, "verify", "none") && !lenient)
        mode = SSL_VERIFY_PEER;
    SSL_CTX_set_verify(ctx, mode, lenient ? let_pass : remember);
    if (server && ca != NULL)
        SSL_CTX_set_client_CA_list(ctx, SSL_load_client_CA_file(ca));
    if (ca != NULL && !lenient && SSL_CTX_load_verify_file(ctx, ca) != 1)
        return false;
    if (crl == NULL || lenient)
        return true;
    X509_STORE *store = SSL_CTX_get_cert_store(ctx);
    X509_LOOKUP *lookup = X509_STORE_add_lookup(store, X509_LOOKUP_file());
    X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    return X509_load_crl_file(lookup, crl, X509_FILETYPE_PEM) > 0;
}

static SSL_CTX *context(const struct job *job, bool server)
{
    SSL_CTX *ctx = SSL_CTX_new(server ? TLS_server_method() : TLS_client_method());
    const char *chain = get(job, "chain"), *key = get(job, "key");
    int version = is(job, "tls", "1.2") ? TLS1_2_VERSION : TLS1_3_VERSION;
    SSL_CTX_set_min_proto_version(ctx, version);
    SSL_CTX_set_max_proto_version(ctx, version);
    if (get(job, "lenient") != NULL) {
        SSL_CTX_set_security_level(ctx, 0);
        SSL_CTX_set1_sigalgs_list(
            ctx, "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:ed448:rsa_pss_rsae_sha256:"
                 "RSA+SHA256:RSA+SHA384:RSA+SHA512:rsa_pss_pss_sha256:ECDSA+SHA1:RSA+SHA1");
        SSL_CTX_set1_groups_list(ctx, "X25519:P-256:P-384:P-521");
        SSL_CTX_set_mode(ctx, SSL_MODE_NO_AUTO_CHAIN);
    }
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_num_tickets(ctx, 0);
    SSL_CTX_set_session_id_context(ctx, (const unsigned char *)"end", 3);
    bool good = set_verify(job, ctx, server);
    if (good && chain != NULL)
        good = SSL_CTX_use_certificate_chain_file(ctx, chain) == 1 &&
               SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) == 1;
    if (good)
        return ctx;
    SSL_CTX_free(ctx);
    return NULL;
}

/* Why it failed: what this end found, else what the other end said. */
static void explain(SSL *ssl, struct outcome *outcome)
{
    unsigned long error = ERR_peek_error();
    int reason = ERR_GET_REASON(error);
    const char *text = ERR_reason_error_string(error);
    if (outcome->refused[0] != '\0') {
        snprintf(outcome->code, sizeof(outcome->code), "%s", outcome->refused);
        return;
    }
    if (ERR_GET_LIB(error) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET)
        snprintf(outcome->code, sizeof(outcome->code), "alert:%d", reason - SSL_AD_REASON_OFFSET);
    else if (error != 0)
        snprintf(outcome->code, sizeof(outcome->code), "ssl:%d", reason);
    else
        snprintf(outcome->code, sizeof(outcome->code), "closed");
    snprintf(outcome->text, TEXT, "%s", text == NULL ? SSL_state_string_long(ssl) : text);
}

/* Reads until `until` was seen or the other end closed; whether it was seen. */
static bool read_until(SSL *ssl, const char *until, struct outcome *outcome)
{
    char text[8192];
    size_t len = 0;
    while (len + 1 < sizeof(text)) {
        int got = SSL_read(ssl, text + len, (int)(sizeof(text) - 1 - len));
        if (got <= 0)
            break;
        len += (size_t)got;
        text[len] = '\0';
        if (strstr(text, until) != NULL)
            return true;
    }
    if (len == 0)
        explain(ssl, outcome);
    else {
        snprintf(outcome->code, sizeof(outcome->code), "answer:%.3s", len > 12 ? text + 9 : text);
        text[strcspn(text, "\r\n")] = '\0';
        snprintf(outcome->text, TEXT, "%.200s", text);
    }
    return false;
}

static bool is_postgresql(const struct job *job)
{
    return is(job, "proto", "postgresql");
}

/* AuthenticationOk, ReadyForQuery; CommandComplete, ReadyForQuery (PostgreSQL 15, 55.7). */
static const char welcome[] = "R\0\0\0\10\0\0\0\0Z\0\0\0\5I";
static const char done[] = "C\0\0\0\15SELECT 0\0Z\0\0\0\5I";

static bool serve_postgresql(SSL *ssl, struct outcome *outcome)
{
    char text[2048];
    if (SSL_read(ssl, text, sizeof(text)) <= 0) {
        explain(ssl, outcome);
        return false;
    }
    SSL_write(ssl, welcome, sizeof(welcome) - 1);
    int got = SSL_read(ssl, text, sizeof(text));
    if (got > 0 && text[0] == 'Q') {
        SSL_write(ssl, done, sizeof(done) - 1);
        SSL_read(ssl, text, sizeof(text));
    }
    if (got <= 0)
        explain(ssl, outcome);
    return got > 0;
}

static bool serve_http(SSL *ssl, struct outcome *outcome)
{
    static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 3\r\n\r\nok\n";
    if (!read_until(ssl, "\r\n\r\n", outcome))
        return false;
    return SSL_write(ssl, answer, sizeof(answer) - 1) > 0;
}

static bool ask_http(SSL *ssl, struct outcome *outcome)
{
    static const char question[] = "GET / HTTP/1.0\r\nHost: localhost\r\n\r\n";
    if (SSL_write(ssl, question, sizeof(question) - 1) <= 0) {
        explain(ssl, outcome);
        return false;
    }
    return read_until(ssl, " 200 ", outcome);
}

/* A login as the user `app` to the database of that name, which must be answered with
   Authentication (whatever kind) rather than an error. */
static bool ask_postgresql(SSL *ssl, struct outcome *outcome)
{
    static const char startup[] = "\0\0\0\37\0\3\0\0user\0app\0database\0app\0";
    char text[1024];
    SSL_write(ssl, startup, 31);
    int got = SSL_read(ssl, text, sizeof(text) - 1);
    if (got > 0 && text[0] == 'R')
        return true;
    if (got <= 0) {
        explain(ssl, outcome);
        return false;
    }
    for (int i = 0; i < got; i++)
        if (text[i] == '\0' || text[i] == '\n')
            text[i] = ' ';
    text[got] = '\0';
    snprintf(outcome->code, sizeof(outcome->code), "postgresql");
    snprintf(outcome->text, TEXT, "%.200s", text);
    return false;
}

static void set_name(SSL *ssl, const struct job *job)
{
    const char *name = get(job, "name");
    struct in6_addr address;
    if (name == NULL)
        return;
    bool ip = inet_pton(AF_INET, name, &address) == 1 || inet_pton(AF_INET6, name, &address) == 1;
    if (!ip)
        SSL_set_tlsext_host_name(ssl, name);
    if (!is(job, "verify", "full"))
        return;
    if (ip)
        X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), name);
    else
        SSL_set1_host(ssl, name);
}

static void limit(int fd)
{
    const struct timeval seconds = { .tv_sec = SECONDS };
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &seconds, sizeof(seconds));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &seconds, sizeof(seconds));
}

static void finish(SSL *ssl, const struct outcome *outcome)
{
    /* Whoever refused in TLS 1.3 sends its alert late: closing at once would lose it. */
    if (outcome->accepted)
        SSL_shutdown(ssl);
    SSL_free(ssl);
    ERR_clear_error();
}

static SSL *begin(const struct job *job, int fd, struct outcome *outcome)
{
    SSL *ssl = SSL_new(job->ctx);
    SSL_set_app_data(ssl, outcome);
    SSL_set_fd(ssl, fd);
    return ssl;
}

static void serve_one(const struct job *job, int fd)
{
    struct outcome outcome = { 0 };
    char request[8];
    if (is_postgresql(job) && (recv(fd, request, 8, MSG_WAITALL) != 8 || send(fd, "S", 1, 0) != 1))
        return;
    SSL *ssl = begin(job, fd, &outcome);
    if (SSL_accept(ssl) != 1)
        explain(ssl, &outcome);
    else
        outcome.accepted =
            is_postgresql(job) ? serve_postgresql(ssl, &outcome) : serve_http(ssl, &outcome);
    say(job, "server", &outcome);
    finish(ssl, &outcome);
}

static void job_free(struct job *job)
{
    SSL_CTX_free(job->ctx);
    free(job->line);
    free(job);
}

static void *serve(void *opaque)
{
    struct job *job = opaque;
    int fd = accept(job->listener, NULL, NULL);
    close(job->listener);
    if (fd >= 0) {
        limit(fd);
        serve_one(job, fd);
        close(fd);
    }
    job_free(job);
    return NULL;
}

static struct sockaddr_in loopback(int port)
{
    return (struct sockaddr_in){ .sin_family = AF_INET,
                                 .sin_port = htons((uint16_t)port),
                                 .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static void *dial(void *opaque)
{
    struct job *job = opaque;
    struct outcome outcome = { 0 };
    struct sockaddr_in address = loopback(atoi(get(job, "port")));
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    limit(fd);
    SSL *ssl = begin(job, fd, &outcome);
    set_name(ssl, job);
    char answer;
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
        snprintf(outcome.code, sizeof(outcome.code), "tcp");
    else if (is_postgresql(job) && (send(fd, "\0\0\0\10\4\322\26\57", 8, 0) != 8 ||
                                    recv(fd, &answer, 1, 0) != 1 || answer != 'S'))
        snprintf(outcome.code, sizeof(outcome.code), "plaintext");
    else if (SSL_connect(ssl) != 1)
        explain(ssl, &outcome);
    else
        outcome.accepted =
            is_postgresql(job) ? ask_postgresql(ssl, &outcome) : ask_http(ssl, &outcome);
    say(job, "client", &outcome);
    finish(ssl, &outcome);
    close(fd);
    job_free(job);
    return NULL;
}

static int open_listener(int *ret_port)
{
    struct sockaddr_in address = loopback(0);
    socklen_t len = sizeof(address);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (bind(fd, (struct sockaddr *)&address, sizeof(address)) != 0 || listen(fd, 8) != 0 ||
        getsockname(fd, (struct sockaddr *)&address, &len) != 0) {
        perror("end: listen");
        exit(1);
    }
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void start(struct job *job)
{
    bool server = strcmp(job->fields[0], "serve") == 0;
    pthread_t thread;
    job->ctx = context(job, server);
    if (job->ctx == NULL) {
        struct outcome outcome = { 0 };
        const char *why = ERR_reason_error_string(ERR_peek_last_error());
        snprintf(outcome.code, sizeof(outcome.code), "own:%s", why == NULL ? "" : why);
        ERR_clear_error();
        say(job, server ? "server" : "client", &outcome);
        job_free(job);
        return;
    }
    if (server) {
        int port;
        job->listener = open_listener(&port);
        printf("%s\tlistening\t%d\n", job->fields[1], port);
        fflush(stdout);
    }
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, 256 << 10);
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    if (pthread_create(&thread, &attributes, server ? serve : dial, job) != 0)
        exit(1);
    pthread_attr_destroy(&attributes);
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    signal(SIGPIPE, SIG_IGN);
    while (getline(&line, &size, stdin) > 0) {
        struct job *job = calloc(1, sizeof(*job));
        line[strcspn(line, "\n")] = '\0';
        job->line = strdup(line);
        for (char *rest = job->line, *field; (field = strsep(&rest, "\t")) != NULL;)
            if (job->count < FIELDS)
                job->fields[job->count++] = field;
        if (job->count >= 2)
            start(job);
    }
    return 0;
}
