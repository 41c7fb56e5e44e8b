/* SPDX-License-Identifier: Apache-2.0 */
/* Covers look.c and seen.c. */
#include "node/look.h"

#include "base/sink.h"
#include "node/node_test.h"
#include "node/seen.h"
#include "x509/auto.h"

#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <sys/stat.h>

/* A child that answers TLS with `leaf`, until it is ended; its address. */
static pid_t serve(struct arena *arena, const struct pki *leaf, str *ret_listen)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);
    AUTO(fd) int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check_int(bind(listener, (struct sockaddr *)&address, len), 0);
    check_int(listen(listener, 8), 0);
    check_int(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    *ret_listen = str_printf(arena, "127.0.0.1:%d", ntohs(address.sin_port));
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    (void)signal(SIGPIPE, SIG_IGN);
    SSL_CTX *context = SSL_CTX_new(TLS_server_method());
    AUTO(X509) X509 *x509 = cert_x509(&leaf->cert);
    AUTO(EVP_PKEY) EVP_PKEY *key = pki_key(leaf);
    SSL_CTX_use_certificate(context, x509);
    SSL_CTX_use_PrivateKey(context, key);
    for (;;) {
        char byte;
        AUTO(fd) int client = accept(listener, NULL, NULL);
        SSL *ssl = SSL_new(context);
        if (SSL_set_fd(ssl, client) == 1 && SSL_accept(ssl) == 1)
            (void)SSL_read(ssl, &byte, 1);
        SSL_free(ssl);
    }
}

static void end(pid_t pid)
{
    int status;
    check_int(kill(pid, SIGKILL), 0);
    check_int(waitpid(pid, &status, 0), pid);
}

/* An address where nobody listens. */
static str closed_address(struct arena *arena)
{
    struct sockaddr_in address = { .sin_family = AF_INET };
    socklen_t len = sizeof(address);
    AUTO(fd) int idle = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check_int(bind(idle, (struct sockaddr *)&address, len), 0);
    check_int(getsockname(idle, (struct sockaddr *)&address, &len), 0);
    return str_printf(arena, "127.0.0.1:%d", ntohs(address.sin_port));
}

static json_t *look_with(struct node_bench *bench, bool connect, str listen)
{
    AUTO(err) struct err err = { 0 };
    AUTO(sink) struct sink sink = { 0 };
    struct cluster fragment;
    check_ok(cluster_parse(bench->arena, "/node.yaml", bench->text, true, &fragment, &err), &err);
    fragment.nodes.items[0].services.items[0].listen = listen;
    fragment.nodes.items[0].run_as = S("");
    struct driver_call call = { bench->arena, &fragment.nodes.items[0],
                                folder_at(&bench->folder, "state"), 5000 };
    struct look look = { .driver = &node_driver,
                         .call = &call,
                         .fragment = &fragment,
                         .renew_before = 30 * PKI_DAY,
                         .now = PKI_NOW,
                         .connect = connect };
    check_ok(sink_open(&sink, &err), &err);
    struct emit emit = { .out = sink.file, .one_line = true };
    emit_object(&emit, NULL);
    check_ok(look_emit(&look, &emit, &err), &err);
    emit_object_end(&emit);
    emit_end(&emit);
    json_t *answer = NULL;
    check_ok(protocol_parse(str_trim(sink_text(&sink)), &answer, &err), &err);
    return answer;
}

static const json_t *row(const json_t *answer, const char *list, size_t index)
{
    const json_t *found = json_array_get(json_object_get(answer, list), index);
    check(found != NULL);
    return found;
}

static str text(const json_t *object, const char *name)
{
    return str_c(json_string_value(json_object_get(object, name)));
}

static str first_der(struct arena *arena, const json_t *object, const char *list)
{
    AUTO(err) struct err err = { 0 };
    AUTO(json) json_t *wrapped = json_pack("{s:O}", "der", row(object, list, 0));
    str der;
    check_ok(need_bytes(arena, wrapped, "der", &der, &err), &err);
    return der;
}

static bool finds(const json_t *answer, const char *code, const char *where)
{
    const json_t *findings = json_object_get(answer, "findings");
    for (size_t i = 0; i < json_array_size(findings); i++) {
        const json_t *finding = json_array_get(findings, i);
        if (str_eq(text(finding, "code"), str_c(code)) &&
            str_eq(text(finding, "where"), str_c(where)))
            return true;
    }
    return false;
}

TEST(a_look_tells_what_the_stores_hold_and_how_their_files_are)
{
    AUTO(node_bench) struct node_bench bench;
    AUTO(err) struct err err = { 0 };
    node_bench_make(&bench);
    /* A group may read root's key only, and root is not everybody who runs this. */
    check_int(chmod(bench.key.ptr, 0600), 0);
    AUTO(json) json_t *answer = look_with(&bench, false, S("127.0.0.1:1"));
    struct cluster found;
    check_ok(cluster_parse(bench.arena, "/n.yaml", text(answer, "fragment"), true, &found, &err),
             &err);
    check_int(found.nodes.count, 1);
    check_str(found.nodes.items[0].stores.items[0].certificate, bench.certificate);
    const json_t *server = row(answer, "stores", 0), *trust = row(answer, "stores", 1);
    check_str(text(server, "name"), S("server"));
    check_str(text(server, "kind"), S("identity"));
    check_str(first_der(bench.arena, server, "certificates"), bench.old.cert.der);
    check_str(text(server, "key_spki_sha256"), bench.old.cert.spki_sha256);
    check(json_is_true(json_object_get(server, "matches")));
    check_str(text(trust, "kind"), S("trust"));
    check_str(first_der(bench.arena, trust, "certificates"), bench.root.cert.der);
    unsigned char digest[32];
    check_int(EVP_Digest(bench.root.pem.ptr, bench.root.pem.len, digest, NULL, EVP_sha256(), NULL),
              1);
    check_str(text(row(trust, "states", 0), "path"), bench.trust);
    check_str(text(row(trust, "states", 0), "state"), str_hex(bench.arena, digest, sizeof(digest)));
    check_int(json_array_size(json_object_get(server, "states")), 2);
    check_int(json_array_size(json_object_get(answer, "findings")), 0);
    /* It was not connected to. */
    check(json_object_get(row(answer, "services", 0), "outcome") == NULL);
}

TEST(a_look_tells_what_a_service_presents_which_part_it_plays_and_who_is_connected)
{
    AUTO(node_bench) struct node_bench bench;
    AUTO(err) struct err err = { 0 };
    node_bench_make(&bench);
    str listen;
    struct pki shown =
        pki_make(bench.arena, &(struct pki_spec){ .name = "db1", .issuer = &bench.root });
    pid_t pid = serve(bench.arena, &shown, &listen);
    folder_put(&bench.folder, "names.role", S("replica"), 0600);
    AUTO(json) json_t *answer = look_with(&bench, true, listen);
    end(pid);
    const json_t *service = row(answer, "services", 0);
    check_str(first_der(bench.arena, service, "presented"), shown.cert.der);
    check(json_is_false(json_object_get(service, "certificate_requested")));
    check(json_is_true(json_object_get(service, "peers_known")));
    check_str(text(row(service, "peers", 0), "user"), S("alice"));
    check_str(text(row(service, "peers", 0), "serial"), S("1a2b"));
    struct cluster found;
    check_ok(cluster_parse(bench.arena, "/n.yaml", text(answer, "fragment"), true, &found, &err),
             &err);
    check_str(found.nodes.items[0].services.items[0].role, S("replica"));
}

TEST(what_is_wrong_with_a_store_is_a_finding_and_the_look_goes_on)
{
    AUTO(node_bench) struct node_bench bench;
    node_bench_make(&bench);
    folder_put(&bench.folder, "server.key", bench.root.key_pem, 0600);
    check_int(unlink(bench.trust.ptr), 0);
    AUTO(json) json_t *answer = look_with(&bench, true, closed_address(bench.arena));
    check(finds(answer, "keystore_unreadable", "db1/trust"));
    check(finds(answer, "key_mismatch", "db1/server"));
    const json_t *server = row(answer, "stores", 0), *trust = row(answer, "stores", 1);
    check(json_is_false(json_object_get(server, "matches")));
    check_str(text(row(trust, "states", 0), "state"), S("absent"));
    check_int(json_array_size(json_object_get(trust, "certificates")), 0);
    check_int(json_array_size(json_object_get(row(answer, "services", 0), "presented")), 0);
    check(text(row(answer, "services", 0), "text").len > 0);
}

TEST(a_certificate_that_is_gone_or_empty_is_told_from_a_pair_that_is_gone)
{
    AUTO(node_bench) struct node_bench bench;
    node_bench_make(&bench);
    for (int state = 0; state < 3; state++) { /* empty, gone, and its key gone too */
        folder_put(&bench.folder, "server.crt", S(""), 0644);
        if (state > 0)
            check_int(unlink(bench.certificate.ptr), 0);
        if (state > 1)
            check_int(unlink(bench.key.ptr), 0);
        AUTO(json) json_t *answer = look_with(&bench, true, closed_address(bench.arena));
        check(finds(answer, "certificate_missing", "db1/server"));
        check(!finds(answer, "keystore_unreadable", "db1/server"));
        check(!finds(answer, "key_mismatch", "db1/server"));
        const json_t *server = row(answer, "stores", 0);
        check_int(json_is_true(json_object_get(server, "gone")), state < 2);
    }
}

TEST(a_file_that_the_services_user_cannot_read_is_a_finding)
{
    AUTO(node_bench) struct node_bench bench;
    if (geteuid() != 0)
        skip();
    node_bench_make(&bench);
    static const struct {
        mode_t mode;
        bool want;
    } cases[] = {
        {0644,  false},
        { 0600, true },
    };
    bench.text = str_printf(bench.arena, "%.*s, run_as: nobody}}}}}",
                            (int)(bench.text.len - str_c("}}}}}").len), bench.text.ptr);
    for (size_t i = 0; i < COUNT(cases); i++) {
        folder_put(&bench.folder, "server.key", bench.old.key_pem, cases[i].mode);
        AUTO(json) json_t *answer = look_with(&bench, false, S(""));
        check_int(finds(answer, "keystore_unreadable", "db1/server"), cases[i].want);
    }
}

static enum observed seen(struct node_bench *bench, str listen)
{
    AUTO(err) struct err err = { 0 };
    struct cluster fragment;
    enum observed observed;
    str evidence;
    check_ok(cluster_parse(bench->arena, "/node.yaml", bench->text, true, &fragment, &err), &err);
    struct driver_call call = { .arena = bench->arena, .node = &fragment.nodes.items[0] };
    struct service_conf *service = &fragment.nodes.items[0].services.items[0];
    service->listen = listen;
    check_ok(seen_is_stored(&call, service, &observed, &evidence, &err), &err);
    check(evidence.len > 0);
    return observed;
}

TEST(a_service_uses_what_is_stored_when_it_shows_it_on_the_wire)
{
    AUTO(node_bench) struct node_bench bench;
    node_bench_make(&bench);
    str listen;
    struct pki next =
        pki_make(bench.arena,
                 &(struct pki_spec){ .name = "db1", .issuer = &bench.root, .key_of = &bench.old });
    pid_t pid = serve(bench.arena, &bench.old, &listen);
    check_int(seen(&bench, listen), OBSERVED_AFTER);
    folder_put(&bench.folder, "server.crt", next.pem, 0644);
    check_int(seen(&bench, listen), OBSERVED_BEFORE);
    end(pid);
    check_int(seen(&bench, closed_address(bench.arena)), OBSERVED_AFTER);
    check_int(seen(&bench, S("")), OBSERVED_AFTER);
}
