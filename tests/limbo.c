/* SPDX-License-Identifier: Apache-2.0 */
/*
 * limbo.c - cases of path validation that others collected (x509-limbo, docs/limbo.md): the judge's
 * verdict for `stack: openssl` must be X509_verify_cert's on the same input, whatever the case
 * expects.
 *
 *     limbo FILE               each case that is judged differently, and "N equal, N different"
 *     limbo --expected FILE    also where OpenSSL and the case's own expectation differ, as a table
 *     limbo --vary FILE        each case in a hundred variations: other moments, the other side,
 * more and fewer anchors, other orders of what is presented
 */
#include "base/io.h"
#include "trust/judge.h"
#include "x509/auto.h"

#include <jansson.h>
#include <openssl/pem.h>
#include <string.h>

DEFINE_AUTO(json, json_t *, json_decref(*handle))

/* A server offers its leaf's level of security at Debian 12's default, 2. */
enum { AUTH_LEVEL = 2, FILE_MAX = 256 * 1024 * 1024 };

struct input {
    const json_t *text;
    const char *id, *name; /* the name that was dialled, or NULL */
    bool client, is_ip;    /* a client's certificate is judged; the name is an address */
    moment at;
    X509 *leaf; /* or NULL: OpenSSL cannot read it */
    STACK_OF(X509) * between, *anchors;
    STACK_OF(X509_CRL) * crls;
};

/* What one of the two says; `why` is its reason to refuse. */
struct opinion {
    bool accepts;
    const char *why;
};

static const char *text_of(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static X509 *read_cert(const char *pem)
{
    AUTO(BIO) BIO *bio = BIO_new_mem_buf(pem, -1);
    return PEM_read_bio_X509(bio, NULL, NULL, NULL);
}

static STACK_OF(X509) * read_certs(const json_t *list)
{
    STACK_OF(X509) *certs = sk_X509_new_null();
    for (size_t i = 0; i < json_array_size(list); i++) {
        X509 *cert = read_cert(json_string_value(json_array_get(list, i)));
        if (cert != NULL)
            sk_X509_push(certs, cert);
    }
    return certs;
}

static STACK_OF(X509_CRL) * read_crls(const json_t *list)
{
    STACK_OF(X509_CRL) *crls = sk_X509_CRL_new_null();
    for (size_t i = 0; i < json_array_size(list); i++) {
        AUTO(BIO) BIO *bio = BIO_new_mem_buf(json_string_value(json_array_get(list, i)), -1);
        X509_CRL *crl = PEM_read_bio_X509_CRL(bio, NULL, NULL, NULL);
        if (crl != NULL)
            sk_X509_CRL_push(crls, crl);
    }
    return crls;
}

/* "2024-01-01T00:00:00+00:00"; a case without a time is judged now. */
static moment time_of(const json_t *text, moment now)
{
    struct tm tm = { 0 };
    const char *time = text_of(text, "validation_time");
    return time == NULL || strptime(time, "%Y-%m-%dT%H:%M:%S", &tm) == NULL ? now : timegm(&tm);
}

static void input_read(const json_t *text, moment now, struct input *ret_input)
{
    const json_t *peer = json_object_get(text, "expected_peer_name");
    *ret_input = (struct input){
        .text = text,
        .id = text_of(text, "id"),
        .name = text_of(peer, "value"),
        .client = strcmp(text_of(text, "validation_kind"), "CLIENT") == 0,
        .is_ip = json_is_object(peer) && strcmp(text_of(peer, "kind"), "IP") == 0,
        .at = time_of(text, now),
        .leaf = read_cert(text_of(text, "peer_certificate")),
        .between = read_certs(json_object_get(text, "untrusted_intermediates")),
        .anchors = read_certs(json_object_get(text, "trusted_certs")),
        .crls = read_crls(json_object_get(text, "crls")),
    };
}

static void input_free(struct input *input)
{
    X509_free(input->leaf);
    sk_X509_pop_free(input->between, X509_free);
    sk_X509_pop_free(input->anchors, X509_free);
    sk_X509_CRL_pop_free(input->crls, X509_CRL_free);
}

/* ---- OpenSSL ---- */

static X509_STORE *make_store(const struct input *input)
{
    X509_STORE *store = X509_STORE_new();
    for (int i = 0; i < sk_X509_num(input->anchors); i++)
        X509_STORE_add_cert(store, sk_X509_value(input->anchors, i));
    for (int i = 0; i < sk_X509_CRL_num(input->crls); i++)
        X509_STORE_add_crl(store, sk_X509_CRL_value(input->crls, i));
    return store;
}

/* As a TLS client or server of OpenSSL's sets it up. */
static void set_up(const struct input *input, X509_STORE_CTX *context)
{
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(context);
    X509_STORE_CTX_set_default(context, input->client ? "ssl_client" : "ssl_server");
    X509_VERIFY_PARAM_set_auth_level(param, AUTH_LEVEL);
    X509_VERIFY_PARAM_set_time(param, input->at);
    if (sk_X509_CRL_num(input->crls) > 0)
        X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
    if (input->name != NULL && !input->client)
        (void)(input->is_ip ? X509_VERIFY_PARAM_set1_ip_asc(param, input->name)
                            : X509_VERIFY_PARAM_set1_host(param, input->name, 0));
}

static struct opinion ask_openssl(const struct input *input)
{
    AUTO(X509_STORE) X509_STORE *store = make_store(input);
    AUTO(X509_STORE_CTX) X509_STORE_CTX *context = X509_STORE_CTX_new();
    if (input->leaf == NULL)
        return (struct opinion){ false, "the leaf cannot be read" };
    X509_STORE_CTX_init(context, store, input->leaf, input->between);
    set_up(input, context);
    bool accepts = X509_verify_cert(context) == 1;
    return (struct opinion){
        accepts, accepts ? "" : X509_verify_cert_error_string(X509_STORE_CTX_get_error(context))
    };
}

/* ---- the judge ---- */

static uint32_t add_cert(struct model *model, X509 *x509)
{
    AUTO(err) struct err err = { 0 };
    struct cert cert;
    return cert_of_x509(model->arena, x509, &cert, &err) ? model_cert(model, &cert) : NO_ID;
}

static void add_all(struct model *model, STACK_OF(X509) * certs, uint32_t *ids, size_t *count)
{
    for (int i = 0; i < sk_X509_num(certs); i++) {
        uint32_t id = add_cert(model, sk_X509_value(certs, i));
        if (id != NO_ID)
            ids[(*count)++] = id;
    }
}

/* The end whose certificate is in question is one of a link; the other end is not judged. */
static struct opinion ask_judge(const struct input *input)
{
    AUTO(arena) struct arena arena = { 0 };
    struct model model;
    struct judge judge;
    model_init(&model, &arena);
    judge_init(&judge, &model);
    size_t count = 0, trusted = 0;
    uint32_t *chain = arena_alloc(&arena, (size_t)sk_X509_num(input->between) + 1, sizeof(*chain));
    uint32_t *anchors =
        arena_alloc(&arena, (size_t)sk_X509_num(input->anchors) + 1, sizeof(*anchors));
    if (input->leaf == NULL || (chain[count++] = add_cert(&model, input->leaf)) == NO_ID)
        return (struct opinion){ false, "cert_malformed" };
    add_all(&model, input->between, chain, &count);
    add_all(&model, input->anchors, anchors, &trusted);
    struct service server = { .key = S("a/server"), .client_truster = NO_ID };
    struct service client = { .key = S("b/client"), .client_truster = NO_ID };
    if (input->client)
        server.client_auth = CLIENT_AUTH_REQUIRED;
    struct link link = { .key = S("b/client->a/server"),
                         .from = model_add_service(&model, &client),
                         .to = model_add_service(&model, &server),
                         .server_identity = NO_ID,
                         .client_identity = NO_ID,
                         .client_truster = NO_ID,
                         .verify = input->name != NULL ? VERIFY_FULL : VERIFY_CA,
                         .name = input->name != NULL ? str_c(input->name) : S("") };
    uint32_t presented = model_chain(&model, chain, count);
    uint32_t trust = model_anchors(&model, anchors, trusted);
    struct ends ends = { NO_ID, NO_ID, NO_ID, NO_ID };
    *(input->client ? &ends.client_chain : &ends.server_chain) = presented;
    *(input->client ? &ends.server_anchors : &ends.client_anchors) = trust;
    struct verdict verdict = judge_link(&judge, &link, ends, input->at);
    return (struct opinion){ verdict.ok, verdict.ok ? "" : cause_code(verdict.cause) };
}

/* ---- both ---- */

enum show { SHOW_DIFFERENT, SHOW_EXPECTED };

struct tally {
    enum show show;
    unsigned equal, different, unexpected;
};

static void compare(const struct input *input, const char *variation, struct tally *tally)
{
    struct opinion openssl = ask_openssl(input), judge = ask_judge(input);
    bool expected = strcmp(text_of(input->text, "expected_result"), "SUCCESS") == 0;
    if (openssl.accepts == judge.accepts) {
        tally->equal++;
    } else {
        tally->different++;
        printf("DIFFERENT %s%s: OpenSSL %s, reseal %s\n", input->id, variation,
               openssl.accepts ? "accepts" : openssl.why, judge.accepts ? "accepts" : judge.why);
    }
    if (openssl.accepts == expected)
        return;
    tally->unexpected++;
    if (tally->show == SHOW_EXPECTED)
        printf("| `%s` | %s | %s |\n", input->id, expected ? "accept" : "refuse",
               openssl.accepts ? "accepts" : openssl.why);
}

/* ---- variations ---- */

enum anchored { AS_GIVEN, WITH_INTERMEDIATES, INTERMEDIATES_ALONE, WITH_LEAF, ANCHORED_COUNT };
enum presented { IN_ORDER, REVERSED, LEAF_ALONE, WITH_ANCHORS, PRESENTED_COUNT };
static const char *const anchored_names[] = { "", "+intermediates", "=intermediates", "+leaf" };
static const char *const presented_names[] = { "", " reversed", " leaf-alone", " with-anchors" };
static const char *const moment_names[] = { "", " at-start", " before-start", " at-end",
                                            " at-last" };

static STACK_OF(X509) * take_certs(STACK_OF(X509) * first, STACK_OF(X509) * second, X509 *third)
{
    STACK_OF(X509) *all = sk_X509_new_null();
    for (int i = 0; first != NULL && i < sk_X509_num(first); i++)
        sk_X509_push(all, sk_X509_value(first, i));
    for (int i = 0; second != NULL && i < sk_X509_num(second); i++)
        sk_X509_push(all, sk_X509_value(second, i));
    if (third != NULL)
        sk_X509_push(all, third);
    return all;
}

static STACK_OF(X509) * vary_anchors(const struct input *input, enum anchored anchored)
{
    return take_certs(
        anchored == INTERMEDIATES_ALONE ? NULL : input->anchors,
        anchored == WITH_INTERMEDIATES || anchored == INTERMEDIATES_ALONE ? input->between : NULL,
        anchored == WITH_LEAF ? input->leaf : NULL);
}

static STACK_OF(X509) * vary_presented(const struct input *input, enum presented presented)
{
    STACK_OF(X509) *all = take_certs(presented == WITH_ANCHORS ? input->anchors : NULL,
                                     presented == LEAF_ALONE ? NULL : input->between, NULL);
    for (int i = 0; presented == REVERSED && i < sk_X509_num(all) / 2; i++) {
        int end = sk_X509_num(all) - 1 - i;
        X509 *first = sk_X509_value(all, i), *last = sk_X509_value(all, end);
        sk_X509_set(all, i, last);
        sk_X509_set(all, end, first);
    }
    return all;
}

/* The moment itself and the edges of the leaf's validity. */
static moment vary_moment(const struct input *input, size_t which)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct cert leaf;
    if (which == 0 || !cert_of_x509(&arena, input->leaf, &leaf, &err))
        return input->at;
    const moment moments[] = { 0, leaf.not_before, leaf.not_before - 1, leaf.not_after,
                               leaf.not_after - 1 };
    return moments[which];
}

static void vary_one(const struct input *input, size_t number, struct tally *tally)
{
    enum anchored anchored = (enum anchored)(number % ANCHORED_COUNT);
    enum presented presented = (enum presented)(number / ANCHORED_COUNT % PRESENTED_COUNT);
    size_t when = number / ANCHORED_COUNT / PRESENTED_COUNT / 2;
    struct input varied = *input;
    char name[100];
    varied.client = number / ANCHORED_COUNT / PRESENTED_COUNT % 2 == 1;
    varied.at = vary_moment(input, when);
    varied.anchors = vary_anchors(input, anchored);
    varied.between = vary_presented(input, presented);
    snprintf(name, sizeof(name), " %s%s%s%s", varied.client ? "client" : "server",
             anchored_names[anchored], presented_names[presented], moment_names[when]);
    compare(&varied, name, tally);
    sk_X509_free(varied.anchors);
    sk_X509_free(varied.between);
}

static void vary(const struct input *input, struct tally *tally)
{
    if (input->leaf == NULL)
        return;
    for (size_t i = 0; i < 2 * COUNT(moment_names) * ANCHORED_COUNT * PRESENTED_COUNT; i++)
        vary_one(input, i, tally);
}

static int run(const char *path, bool variations, enum show show)
{
    json_error_t problem;
    AUTO(json) json_t *file = json_load_file(path, 0, &problem);
    const json_t *cases = json_object_get(file, "testcases");
    if (cases == NULL) {
        fprintf(stderr, "limbo: %s: %s\n", path, file == NULL ? problem.text : "no testcases");
        return 2;
    }
    struct tally tally = { .show = show };
    for (size_t i = 0; i < json_array_size(cases); i++) {
        struct input input;
        input_read(json_array_get(cases, i), clock_now(), &input);
        if (variations)
            vary(&input, &tally);
        else
            compare(&input, "", &tally);
        input_free(&input);
    }
    printf("%u equal, %u different", tally.equal, tally.different);
    if (!variations)
        printf("; OpenSSL differs from what is expected in %u", tally.unexpected);
    printf("\n");
    return tally.different == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    bool variations = argc == 3 && strcmp(argv[1], "--vary") == 0;
    bool expected = argc == 3 && strcmp(argv[1], "--expected") == 0;
    if (argc == 2 || variations || expected)
        return run(argv[argc - 1], variations, expected ? SHOW_EXPECTED : SHOW_DIFFERENT);
    fputs("usage: limbo [--expected | --vary] LIMBO.json\n", stderr);
    return 2;
}
