/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watcher TARGETS THREADS [RATE] - makes new TLS connections without pause, until SIGTERM.
 *
 * It is what the load tests judge reseal by, so it shares no code with it: OpenSSL and POSIX alone.
 * TARGETS has a line of NAME=VALUE words for each target:
 *
 *     name=app/app->etcd1/etcd host=127.0.0.1 port=21001 verify=etcd1.lab.example
 *     ca=FILE cert=FILE key=FILE say=http:/version
 *
 * `cert` and `key` may be missing: then none is shown. A file that is named @FILE:SECTION:NAME is
 * looked up in a configuration file: the first "NAME = PATH" or "NAME: PATH" after the text
 * SECTION, relative to the file's folder. All are read at every connection, as by a program that
 * starts anew. `say` is what proves that a connection was accepted, since TLS 1.3 refuses late:
 *
 *     tls                the handshake (the default)
 *     http:/PATH         a GET of PATH is answered with 200
 *     postgresql:USER    SSLRequest before, and a login to database USER after it
 *
 * With RATE it makes at most so many connections a second in all. Each line that it prints is a
 * JSON object with `at`, in milliseconds since 1970:
 *
 *     {"at","target","failed":"tcp|tls|answer|own","text"}  a connection that did not come to be
 *     {"at","target","serial","issuer"}                     another certificate than before
 *     {"at","target","acceptable":[…]}                      other CAs are asked for than before
 *     {"at","handshakes"}                                   so many were good, once a second
 *     {"at","totals":[{"target","good","tcp","tls","answer","own"}]}   at the end
 *
 * `tcp` is a connection that is refused, cut or silent, without a word of TLS about why; `tls` an
 * alert, or what this end refuses; `own` a file that this end cannot use.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { TARGETS_MAX = 256, PATH = 1024, TEXT = 512, NAMES = 2048, WAIT_SECONDS = 10 };
enum result { GOOD, TCP, TLS, ANSWER, OWN, RESULTS };
static const char *const result_names[RESULTS] = { "good", "tcp", "tls", "answer", "own" };

struct target {
    char line[4096]; /* that the words point into */
    const char *name, *host, *port, *verify, *ca, *cert, *key, *say;
    atomic_ulong count[RESULTS];
    pthread_mutex_t lock; /* of what was seen last */
    char certificate[TEXT], acceptable[NAMES];
};

static struct target targets[TARGETS_MAX];
static size_t target_count;
static atomic_ulong next_turn, all_good;
static atomic_bool over;
static long interval_ns; /* between two connections of one thread */

/* One connection. */
struct attempt {
    struct target *target;
    int fd;
    SSL_CTX *context;
    SSL *ssl;
    char text[TEXT]; /* why it failed */
};

static long long now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * 1000LL + now.tv_nsec / 1000000;
}

/* A line of JSON whose strings need no more than these escapes. */
static void escape(char *to, size_t size, const char *from)
{
    size_t at = 0;
    for (; *from != '\0' && at + 2 < size; from++) {
        if (*from == '"' || *from == '\\')
            to[at++] = '\\';
        to[at++] = (unsigned char)*from < ' ' ? ' ' : *from;
    }
    to[at] = '\0';
}

/* ---- files ---- */

static char *read_file(const char *path, char *text, size_t size)
{
    FILE *in = fopen(path, "re");
    size_t len = in == NULL ? 0 : fread(text, 1, size - 1, in);
    if (in != NULL)
        fclose(in);
    text[len] = '\0';
    return text;
}

/* The word after "NAME =" or "NAME:", with whatever quotes there are around it. */
static bool value_of(const char *text, const char *name, char *value, size_t size)
{
    size_t len = strlen(name);
    for (const char *at = text; (at = strstr(at, name)) != NULL; at += len) {
        const char *after = at + len + strspn(at + len, " \t");
        bool begins = at == text || strchr(" \t\n'\"", at[-1]) != NULL;
        if (!begins || (*after != '=' && *after != ':'))
            continue;
        after += 1 + strspn(after + 1, " \t'\"\\");
        snprintf(value, size, "%.*s", (int)strcspn(after, " \t\r\n'\"\\"), after);
        return true;
    }
    return false;
}

/* The file that `what` names: itself, or the one that @FILE:SECTION:NAME leads to. */
static bool locate(const char *what, char *path, size_t size)
{
    char copy[PATH], value[PATH], text[65536];
    if (what[0] != '@')
        return snprintf(path, size, "%s", what) < (int)size;
    snprintf(copy, sizeof(copy), "%s", what + 1);
    char *rest = copy;
    const char *file = strsep(&rest, ":"), *section = strsep(&rest, ":"), *name = rest;
    if (section == NULL || name == NULL)
        return false;
    const char *from = strstr(read_file(file, text, sizeof(text)), section);
    if (from == NULL || !value_of(from, name, value, sizeof(value)))
        return false;
    size_t folder =
        value[0] == '/' || strrchr(file, '/') == NULL ? 0 : (size_t)(strrchr(file, '/') + 1 - file);
    return snprintf(path, size, "%.*s%s", (int)folder, file, value) < (int)size;
}

/* The leaf and what follows it. */
static bool use_certificates(SSL_CTX *context, const char *text)
{
    BIO *in = BIO_new_mem_buf(text, -1);
    X509 *leaf = PEM_read_bio_X509(in, NULL, NULL, NULL), *next;
    bool done = leaf != NULL && SSL_CTX_use_certificate(context, leaf) == 1;
    while (done && (next = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL)
        done = SSL_CTX_add0_chain_cert(context, next) == 1;
    if (done)
        ERR_clear_error(); /* of the end of the file */
    X509_free(leaf);
    BIO_free(in);
    return done;
}

static bool use_key(SSL_CTX *context, const char *text)
{
    BIO *in = BIO_new_mem_buf(text, -1);
    EVP_PKEY *key = PEM_read_bio_PrivateKey(in, NULL, NULL, NULL);
    bool done = key != NULL && SSL_CTX_use_PrivateKey(context, key) == 1;
    EVP_PKEY_free(key);
    BIO_free(in);
    return done;
}

/* Names that were switched while they were looked up are looked up again; a pair in one file is
   read once, as whoever keeps it so does. */
static bool load_files(struct attempt *at)
{
    char ca[PATH], cert[PATH], key[PATH], again[PATH], certificate[65536], key_text[65536];
    const struct target *target = at->target;
    if (!locate(target->ca, ca, sizeof(ca)) ||
        SSL_CTX_load_verify_locations(at->context, ca, NULL) != 1)
        return false;
    if (target->cert == NULL)
        return true;
    do
        if (!locate(target->cert, cert, sizeof(cert)) || !locate(target->key, key, sizeof(key)) ||
            !locate(target->cert, again, sizeof(again)))
            return false;
    while (strcmp(cert, again) != 0);
    read_file(cert, certificate, sizeof(certificate));
    bool one_file = strcmp(cert, key) == 0;
    bool done =
        use_certificates(at->context, certificate) &&
        use_key(at->context, one_file ? certificate : read_file(key, key_text, sizeof(key_text))) &&
        SSL_CTX_check_private_key(at->context) == 1;
    OPENSSL_cleanse(certificate, sizeof(certificate));
    OPENSSL_cleanse(key_text, sizeof(key_text));
    return done;
}

/* ---- one connection ---- */

static enum result fail(struct attempt *at, enum result result, const char *what)
{
    unsigned long code = ERR_peek_error();
    const char *reason = ERR_reason_error_string(code);
    long verdict = at->ssl == NULL ? X509_V_OK : SSL_get_verify_result(at->ssl);
    snprintf(at->text, sizeof(at->text), "%s: %s", what,
             verdict != X509_V_OK                           ? X509_verify_cert_error_string(verdict)
             : reason != NULL && result != TCP              ? reason
             : errno == EAGAIN                              ? "no answer in time"
             : result == TLS || result == OWN || errno == 0 ? "no reason given"
                                                            : strerror(errno));
    return result;
}

/* What an operation of OpenSSL came to when it did not succeed: only TLS itself gives a reason. A
   peer that goes away in the middle is an error of OpenSSL too, but none of TLS. */
static enum result failure_of(struct attempt *at, int got, const char *what)
{
    int kind = SSL_get_error(at->ssl, got);
    bool gone = ERR_GET_REASON(ERR_peek_error()) == SSL_R_UNEXPECTED_EOF_WHILE_READING;
    return fail(at, kind == SSL_ERROR_SSL && !gone ? TLS : TCP, what);
}

static enum result dial(struct attempt *at)
{
    struct addrinfo hints = { .ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICHOST };
    struct addrinfo *list = NULL;
    struct timeval wait = { .tv_sec = WAIT_SECONDS };
    int one = 1;
    if (getaddrinfo(at->target->host, at->target->port, &hints, &list) != 0)
        return fail(at, OWN, "address");
    at->fd = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool done = at->fd >= 0 &&
                setsockopt(at->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait)) == 0 &&
                setsockopt(at->fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait)) == 0 &&
                setsockopt(at->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0 &&
                connect(at->fd, list->ai_addr, list->ai_addrlen) == 0;
    freeaddrinfo(list);
    return done ? GOOD : fail(at, errno == EADDRNOTAVAIL ? OWN : TCP, "connect");
}

static bool is_said(const struct attempt *at, const char *protocol)
{
    return at->target->say != NULL && strncmp(at->target->say, protocol, strlen(protocol)) == 0;
}

/* PostgreSQL's messages: SSLRequest, and StartupMessage (protocol 3.0). */
static enum result request_tls(struct attempt *at)
{
    static const unsigned char request[] = { 0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f };
    char answer = 0;
    if (!is_said(at, "postgresql:"))
        return GOOD;
    if (write(at->fd, request, sizeof(request)) != sizeof(request) || read(at->fd, &answer, 1) != 1)
        return fail(at, TCP, "SSLRequest");
    return answer == 'S' ? GOOD : fail(at, ANSWER, "SSLRequest is denied");
}

static enum result shake_hands(struct attempt *at)
{
    at->ssl = SSL_new(at->context);
    if (at->ssl == NULL || SSL_set_fd(at->ssl, at->fd) != 1 ||
        SSL_set1_host(at->ssl, at->target->verify) != 1 ||
        SSL_set_tlsext_host_name(at->ssl, at->target->verify) != 1)
        return fail(at, OWN, "session");
    int got = SSL_connect(at->ssl);
    return got == 1 ? GOOD : failure_of(at, got, "handshake");
}

static enum result send_all(struct attempt *at, const void *bytes, size_t len)
{
    int got = SSL_write(at->ssl, bytes, (int)len);
    return got == (int)len ? GOOD : failure_of(at, got, "write");
}

static enum result read_exactly(struct attempt *at, unsigned char *bytes, size_t len)
{
    for (size_t have = 0; have < len;) {
        int got = SSL_read(at->ssl, bytes + have, (int)(len - have));
        if (got <= 0)
            return failure_of(at, got, "answer");
        have += (size_t)got;
    }
    return GOOD;
}

static enum result ask_http(struct attempt *at, const char *path)
{
    char request[512];
    unsigned char status[13] = { 0 };
    int len = snprintf(request, sizeof(request),
                       "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n\r\n", path,
                       at->target->verify);
    enum result result = send_all(at, request, (size_t)len);
    if (result == GOOD)
        result = read_exactly(at, status, sizeof(status) - 1);
    if (result != GOOD || memcmp(status, "HTTP/1.", 7) != 0 || memcmp(status + 8, " 200", 4) != 0)
        return result != GOOD ? result : fail(at, ANSWER, (const char *)status);
    return GOOD;
}

/* Messages up to ReadyForQuery; an ErrorResponse is told by its message, field 'M'. */
static enum result ask_postgresql(struct attempt *at, const char *user)
{
    unsigned char message[4096] = { 0, 0, 0, 0, 0, 3, 0, 0 }, head[5];
    int len = 8 + snprintf((char *)message + 8, 256, "user%c%s%cdatabase%c%s%c%c", 0, user, 0, 0,
                           user, 0, 0);
    message[3] = (unsigned char)len;
    enum result result = send_all(at, message, (size_t)len);
    while (result == GOOD) {
        result = read_exactly(at, head, sizeof(head));
        size_t size = result != GOOD ? 4 : (size_t)head[3] << 8 | head[4];
        if (result != GOOD || size < 4 || size >= sizeof(message))
            return result != GOOD ? result : fail(at, ANSWER, "a strange message");
        memset(message, 0, sizeof(message));
        result = read_exactly(at, message, size - 4);
        if (head[0] == 'Z' || result != GOOD)
            return result;
        for (char *field = (char *)message; head[0] == 'E' && *field != 0;
             field += strlen(field) + 1)
            if (*field == 'M')
                return errno = 0, fail(at, ANSWER, field + 1);
    }
    return result;
}

static enum result confirm(struct attempt *at)
{
    if (is_said(at, "http:"))
        return ask_http(at, strchr(at->target->say, ':') + 1);
    if (is_said(at, "postgresql:"))
        return ask_postgresql(at, strchr(at->target->say, ':') + 1);
    return GOOD;
}

/* ---- what was seen ---- */

/* Print what follows `"at":…,"target":…,` when it is another than the last time. */
static void tell_change(struct target *target, char *last, size_t size, const char *now)
{
    pthread_mutex_lock(&target->lock);
    if (strcmp(last, now) != 0) {
        printf("{\"at\":%lld,\"target\":\"%s\",%s}\n", now_ms(), target->name, now);
        snprintf(last, size, "%s", now);
    }
    pthread_mutex_unlock(&target->lock);
}

static void tell_certificate(struct attempt *at)
{
    char issuer[256], escaped[256], text[TEXT];
    X509 *leaf = SSL_get1_peer_certificate(at->ssl);
    if (leaf == NULL)
        return;
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(leaf), NULL);
    char *serial = BN_bn2hex(number);
    X509_NAME_oneline(X509_get_issuer_name(leaf), issuer, sizeof(issuer));
    escape(escaped, sizeof(escaped), issuer);
    snprintf(text, sizeof(text), "\"serial\":\"%s\",\"issuer\":\"%s\"", serial, escaped);
    tell_change(at->target, at->target->certificate, TEXT, text);
    OPENSSL_free(serial);
    BN_free(number);
    X509_free(leaf);
}

/* The CAs of the CertificateRequest (RFC 8446, 4.2.4; RFC 5246, 7.4.4). */
static void tell_acceptable(struct attempt *at)
{
    char text[NAMES] = "\"acceptable\":[";
    const STACK_OF(X509_NAME) *names = SSL_get0_peer_CA_list(at->ssl);
    if (at->target->cert == NULL)
        return;
    for (int i = 0; i < sk_X509_NAME_num(names); i++) {
        char name[256], escaped[256];
        X509_NAME_oneline(sk_X509_NAME_value(names, i), name, sizeof(name));
        escape(escaped, sizeof(escaped), name);
        size_t len = strlen(text);
        snprintf(text + len, sizeof(text) - len, "%s\"%s\"", i == 0 ? "" : ",", escaped);
    }
    strncat(text, "]", sizeof(text) - strlen(text) - 1);
    tell_change(at->target, at->target->acceptable, NAMES, text);
}

static void tell_failure(const struct attempt *at, enum result result)
{
    char escaped[TEXT];
    escape(escaped, sizeof(escaped), at->text);
    printf("{\"at\":%lld,\"target\":\"%s\",\"failed\":\"%s\",\"text\":\"%s\"}\n", now_ms(),
           at->target->name, result_names[result], escaped);
}

static enum result connect_once(struct attempt *at)
{
    at->context = SSL_CTX_new(TLS_client_method());
    if (at->context == NULL)
        return fail(at, OWN, "context");
    SSL_CTX_set_verify(at->context, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_session_cache_mode(at->context, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_options(at->context, SSL_OP_NO_TICKET);
    if (!load_files(at))
        return fail(at, OWN, "files");
    enum result result = dial(at);
    if (result == GOOD)
        result = request_tls(at);
    if (result == GOOD)
        result = shake_hands(at);
    if (result == GOOD)
        result = confirm(at);
    return result;
}

static void try_target(struct target *target)
{
    struct attempt at = { .target = target, .fd = -1 };
    ERR_clear_error();
    errno = 0;
    enum result result = connect_once(&at);
    atomic_fetch_add(&target->count[result], 1);
    if (result == GOOD) {
        atomic_fetch_add(&all_good, 1);
        tell_certificate(&at);
        tell_acceptable(&at);
        SSL_shutdown(at.ssl);
    } else
        tell_failure(&at, result);
    SSL_free(at.ssl);
    SSL_CTX_free(at.context);
    if (at.fd >= 0)
        close(at.fd);
}

/* ---- the run ---- */

static void pause_until(struct timespec *when)
{
    when->tv_nsec += interval_ns;
    when->tv_sec += when->tv_nsec / 1000000000;
    when->tv_nsec %= 1000000000;
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (now.tv_sec > when->tv_sec + 1)
        *when = now; /* behind: what was missed is not made up for */
    else
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, when, NULL);
}

static void *work(void *unused)
{
    struct timespec when;
    clock_gettime(CLOCK_MONOTONIC, &when);
    while (!atomic_load(&over)) {
        try_target(&targets[atomic_fetch_add(&next_turn, 1) % target_count]);
        pause_until(&when);
    }
    return unused;
}

static bool read_target(struct target *target)
{
    struct {
        const char *name;
        const char **value;
    } words[] = {
        {"name",    &target->name  },
        { "host",   &target->host  },
        { "port",   &target->port  },
        { "verify", &target->verify},
        { "ca",     &target->ca    },
        { "cert",   &target->cert  },
        { "key",    &target->key   },
        { "say",    &target->say   },
    };
    char *rest = target->line;
    for (char *word; (word = strsep(&rest, " \n")) != NULL;) {
        size_t i = 0, len = strcspn(word, "=");
        while (i < 8 && (strlen(words[i].name) != len || strncmp(words[i].name, word, len) != 0))
            i++;
        if (i < 8 && word[len] == '=')
            *words[i].value = word + len + 1;
        else if (*word != '\0')
            return fprintf(stderr, "watcher: %s\n", word), false;
    }
    pthread_mutex_init(&target->lock, NULL);
    return target->name != NULL && target->host != NULL && target->port != NULL &&
           target->verify != NULL && target->ca != NULL &&
           (target->cert == NULL) == (target->key == NULL);
}

static bool read_targets(const char *path)
{
    FILE *in = fopen(path, "re");
    while (in != NULL && target_count < TARGETS_MAX &&
           fgets(targets[target_count].line, sizeof(targets[0].line), in) != NULL)
        if (!read_target(&targets[target_count++]))
            return fprintf(stderr, "watcher: %s:%zu is no target\n", path, target_count), false;
    if (in == NULL)
        perror(path);
    else
        fclose(in);
    return target_count > 0;
}

static void print_totals(void)
{
    printf("{\"at\":%lld,\"totals\":[", now_ms());
    for (size_t i = 0; i < target_count; i++) {
        printf("%s{\"target\":\"%s\"", i == 0 ? "" : ",", targets[i].name);
        for (int k = 0; k < RESULTS; k++)
            printf(",\"%s\":%lu", result_names[k], atomic_load(&targets[i].count[k]));
        printf("}");
    }
    printf("]}\n");
}

int main(int argc, char **argv)
{
    pthread_t threads[64];
    long count = argc >= 3 ? strtol(argv[2], NULL, 10) : 0;
    long rate = argc >= 4 ? strtol(argv[3], NULL, 10) : 0;
    if (count < 1 || count > 64 || rate < 0 || !read_targets(argv[1]))
        return fputs("usage: watcher TARGETS THREADS [RATE]\n", stderr), 2;
    interval_ns = rate == 0 ? 0 : 1000000000 / rate * count;
    setvbuf(stdout, NULL, _IOLBF, 0);
    sigset_t ends;
    sigemptyset(&ends);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGINT);
    signal(SIGPIPE, SIG_IGN);
    pthread_sigmask(SIG_BLOCK, &ends, NULL);
    for (long i = 0; i < count; i++)
        if (pthread_create(&threads[i], NULL, work, NULL) != 0)
            return perror("watcher"), 1;
    while (sigtimedwait(&ends, NULL, &(struct timespec){ .tv_sec = 1 }) < 0)
        printf("{\"at\":%lld,\"handshakes\":%lu}\n", now_ms(), atomic_load(&all_good));
    atomic_store(&over, true);
    for (long i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    print_totals();
    return 0;
}
