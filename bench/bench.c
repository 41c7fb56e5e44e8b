/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench.c - what loading, judging, planning and writing cost, and what OpenSSL takes for the same.
 *
 *     bench make SERVICES LINKS FOLDER
 *     bench run FOLDER
 *
 * Times are of this process's processor, not of the clock on the wall: others are at work too.
 * What is short is done several times, turn by turn with what it is compared with, and the best
 * of each counts.
 */
#include "bench/fleet.h"
#include "base/io.h"
#include "plan/plan.h"
#include "survey/parts.h"
#include "tests/pki.h"
#include "x509/auto.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 3, SAMPLE = 2000 };

struct bench {
    struct arena arena;
    const char *folder;
    struct cluster cluster;
    struct survey survey;
    LIST(struct cert) leaves;
    struct cert root, middle, second;
    uint32_t issuer;
    struct plan plan;
    double warm, openssl; /* seconds for one link */
};

static void fail(const struct err *err)
{
    fprintf(stderr, "bench: %s\n", err->msg);
    exit(1);
}

/* ---- figures ---- */

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* The most memory that was in use since the last call, in KiB. */
static long peak_kib(void)
{
    char line[256];
    long kib = 0;
    AUTO(file) FILE *status = fopen("/proc/self/status", "r");
    while (status != NULL && fgets(line, sizeof(line), status) != NULL)
        if (strncmp(line, "VmHWM:", 6) == 0)
            kib = strtol(line + 6, NULL, 10);
    AUTO(file) FILE *clear = fopen("/proc/self/clear_refs", "w");
    if (clear != NULL)
        fputs("5", clear);
    return kib;
}

/* Bytes a link, once the number of links is known. */
static void report(const struct bench *bench, const char *what, size_t count, double took)
{
    size_t links = bench->cluster.links.count;
    printf("%-34s %9zu %9.3f s %11.0f /s %7.0f B\n", what, count, took, (double)count / took,
           (double)peak_kib() * 1024 / (double)links);
    fflush(stdout);
}

static void figure(const char *what, double value, const char *unit)
{
    printf("%-34s %9.0f %s\n", what, value, unit);
}

/* ---- loading ---- */

static struct cert read_pem(struct bench *bench, const char *name)
{
    AUTO(err) struct err err = { 0 };
    AUTO(file) FILE *file = fopen(fleet_path(&bench->arena, bench->folder, name), "r");
    AUTO(X509) X509 *x509 = file == NULL ? NULL : PEM_read_X509(file, NULL, NULL, NULL);
    struct cert cert;
    if (x509 == NULL || !cert_of_x509(&bench->arena, x509, &cert, &err))
        exit(1);
    return cert;
}

static void read_leaves(struct bench *bench)
{
    AUTO(err) struct err err = { 0 };
    AUTO(file) FILE *file = fopen(fleet_path(&bench->arena, bench->folder, "leaves.der"), "r");
    char bytes[4096];
    uint32_t len;
    while (file != NULL && fread(&len, sizeof(len), 1, file) == 1 && len <= sizeof(bytes) &&
           fread(bytes, 1, len, file) == len) {
        struct cert cert;
        if (!cert_parse(&bench->arena, (str){ bytes, len }, &cert, &err))
            fail(&err);
        list_push(&bench->arena, &bench->leaves) = cert;
    }
}

static void load_file(struct bench *bench)
{
    AUTO(err) struct err err = { 0 };
    const char *path = fleet_path(&bench->arena, bench->folder, "cluster.yaml");
    double start = seconds();
    if (!cluster_read(&bench->arena, path, &bench->cluster, &err))
        fail(&err);
    report(bench, "cluster file read, links", bench->cluster.links.count, seconds() - start);
}

/* What the workers would have answered. */
static void see_node(struct bench *bench, size_t number)
{
    const struct node_conf *node = &bench->cluster.nodes.items[number];
    struct seen_node seen = { .reached = true };
    struct seen_store trust = { .name = S("trust"), .trust = true };
    list_push(&bench->arena, &trust.certificates) = bench->root;
    list_push(&bench->arena, &seen.stores) = trust;
    for (size_t i = 0; i < node->services.count; i++) {
        struct seen_store store = { .name = node->services.items[i].identities.items[0].store,
                                    .matches = true };
        list_push(&bench->arena, &store.certificates) =
            bench->leaves.items[number * FLEET_NODE + i];
        list_push(&bench->arena, &store.certificates) = bench->middle;
        list_push(&bench->arena, &seen.stores) = store;
    }
    list_push(&bench->arena, &bench->survey.nodes) = seen;
}

static void load_model(struct bench *bench)
{
    struct survey *survey = &bench->survey;
    *survey = (struct survey){ .arena = &bench->arena, .cluster = &bench->cluster, .now = PKI_NOW };
    model_init(&survey->model, &bench->arena);
    for (size_t i = 0; i < bench->cluster.nodes.count; i++)
        see_node(bench, i);
    double start = seconds();
    survey_build(survey);
    judge_init(&survey->judge, &survey->model);
    bench->issuer = model_cert(&survey->model, &bench->second);
    report(bench, "model made, links", survey->model.links.count, seconds() - start);
}

/* ---- judging ---- */

static double judge_all(struct bench *bench)
{
    struct model *model = &bench->survey.model;
    double start = seconds();
    size_t good = 0;
    for (size_t i = 0; i < model->links.count; i++) {
        const struct link *link = &model->links.items[i];
        good += judge_link(&bench->survey.judge, link, ends_loaded(model, link), PKI_NOW).ok;
    }
    if (good != model->links.count)
        abort();
    return seconds() - start;
}

static bool verify(X509_STORE *store, X509 *leaf, STACK_OF(X509) * chain, int purpose)
{
    AUTO(X509_STORE_CTX) X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE_CTX_init(context, store, leaf, chain);
    X509_STORE_CTX_set_purpose(context, purpose);
    X509_STORE_CTX_set_time(context, 0, PKI_NOW);
    return X509_verify_cert(context) == 1;
}

/* The same question asked of OpenSSL, of the first links: parsed once, verified each time. */
static double verify_sample(struct bench *bench, size_t count)
{
    AUTO(X509_STORE) X509_STORE *store = X509_STORE_new();
    AUTO(X509) X509 *root = cert_x509(&bench->root);
    AUTO(X509) X509 *middle = cert_x509(&bench->middle);
    STACK_OF(X509) *chain = sk_X509_new_null();
    X509_STORE_add_cert(store, root);
    sk_X509_push(chain, middle);
    X509 *leaves[SAMPLE];
    for (size_t i = 0; i < count; i++)
        leaves[i] = cert_x509(&bench->leaves.items[i % bench->leaves.count]);
    double start = seconds();
    for (size_t i = 0; i < count; i++)
        if (!verify(store, leaves[i], chain, X509_PURPOSE_SSL_SERVER) ||
            !verify(store, leaves[i], chain, X509_PURPOSE_SSL_CLIENT))
            abort();
    double took = seconds() - start;
    for (size_t i = 0; i < count; i++)
        X509_free(leaves[i]);
    sk_X509_free(chain);
    return took;
}

static double least(double a, double b)
{
    return a == 0 || b < a ? b : a;
}

static void time_judge(struct bench *bench)
{
    size_t count = bench->survey.model.links.count, sample = count < SAMPLE ? count : SAMPLE;
    double warm = 0, openssl = 0;
    report(bench, "links judged, cold", count, judge_all(bench));
    for (int round = 0; round < ROUNDS; round++) {
        warm = least(warm, judge_all(bench));
        openssl = least(openssl, verify_sample(bench, sample));
    }
    report(bench, "links judged, warm", count, warm);
    report(bench, "X509_verify_cert, twice a link", sample, openssl);
    bench->warm = warm / (double)count;
    bench->openssl = openssl / (double)sample;
    figure("  signature checks of the cold run", (double)bench->survey.judge.facts.signature_checks,
           "");
    figure("  certificates", (double)bench->survey.model.certs.count, "");
    figure("  warm, times as fast as OpenSSL", bench->openssl / bench->warm, "x");
}

static void time_forecast(struct bench *bench)
{
    struct model *model = &bench->survey.model;
    double start = seconds();
    for (size_t i = 0; i < model->links.count; i++) {
        const struct link *link = &model->links.items[i];
        moment when = forecast_link(&bench->survey.judge, link, ends_loaded(model, link), PKI_NOW);
        if (when != PKI_NOW + 10 * PKI_DAY)
            abort();
    }
    report(bench, "links forecast", model->links.count, seconds() - start);
}

/* ---- planning ---- */

static void time_plan(struct bench *bench)
{
    struct plan_goal goal = { .cluster = S("bench"),
                              .now = PKI_NOW,
                              .renew_before = 30 * PKI_DAY,
                              .lifetime = 90 * PKI_DAY,
                              .issuer = bench->issuer,
                              .anchor = bench->issuer,
                              .replace_others = true,
                              .retiring = true,
                              .max_unavailable = 1 };
    uint64_t judged = 0;
    double start = seconds();
    plan_make(&bench->arena, &bench->survey.judge, &goal, &bench->plan);
    report(bench, "plan made and proven, links", bench->survey.model.links.count,
           seconds() - start);
    for (size_t i = 0; i < bench->plan.waves.count; i++)
        judged += bench->plan.waves.items[i].judged;
    figure("  steps", (double)bench->plan.steps.count, "");
    figure("  waves", (double)bench->plan.waves.count, "");
    figure("  states judged for the proof", (double)judged, "");
    if (!bench->plan.proven)
        abort();
}

static void time_proof(struct bench *bench)
{
    double start = seconds();
    plan_prove(&bench->arena, &bench->survey.judge, PKI_NOW, &bench->plan);
    report(bench, "  of this the proof", bench->survey.model.links.count, seconds() - start);
}

static void time_document(struct bench *bench)
{
    AUTO(file) FILE *out = fopen("/dev/null", "w");
    struct emit emit = { .out = out };
    plan_source_list sources = { 0 };
    double start = seconds();
    emit_object(&emit, NULL);
    plan_emit(&emit, &bench->survey.model, &bench->plan, &sources);
    emit_object_end(&emit);
    fflush(out);
    report(bench, "plan written as JSON, links", bench->survey.model.links.count,
           seconds() - start);
}

static int run(const char *folder)
{
    static struct bench bench;
    bench.folder = folder;
    bench.root = read_pem(&bench, "root.pem");
    bench.middle = read_pem(&bench, "middle.pem");
    bench.second = read_pem(&bench, "second.pem");
    load_file(&bench);
    double start = seconds();
    read_leaves(&bench);
    report(&bench, "certificates parsed", bench.leaves.count, seconds() - start);
    load_model(&bench);
    time_judge(&bench);
    time_forecast(&bench);
    time_plan(&bench);
    time_proof(&bench);
    time_document(&bench);
    arena_free(&bench.arena);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 5 && strcmp(argv[1], "make") == 0)
        return fleet_make(argv[4], strtoul(argv[2], NULL, 10), strtoul(argv[3], NULL, 10)), 0;
    if (argc == 3 && strcmp(argv[1], "run") == 0)
        return run(argv[2]);
    fputs("usage: bench make SERVICES LINKS FOLDER, or bench run FOLDER\n", stderr);
    return 2;
}
