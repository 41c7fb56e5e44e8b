/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge.c - how fast links are judged and a plan is made and proven, beside what else there is.
 *
 *     bench-judge LINKS FOLDER
 *
 * A star: one server, LINKS clients that verify it and are verified by it, under a root and an
 * intermediate; a hundred different leaves, the rest share them, as a fleet of replicas does.
 * Prints one line for each way. FOLDER gets the same certificates as files, for `openssl verify`.
 */
#include "base/io.h"
#include "plan/plan.h"
#include "tests/pki.h"
#include "tests/test.h"
#include "trust/judge.h"
#include "x509/auto.h"

#include <stdlib.h>
#include <sys/resource.h>

enum { LEAVES = 100, ROUNDS = 5 };

struct fleet {
    struct arena arena;
    struct model model;
    struct judge judge;
    struct pki root, middle, server, leaves[LEAVES];
    uint32_t root_id;
};

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static uint32_t chain_of(struct fleet *fleet, const struct pki *leaf)
{
    uint32_t ids[] = { model_cert(&fleet->model, &leaf->cert),
                       model_cert(&fleet->model, &fleet->middle.cert) };
    return model_chain(&fleet->model, ids, COUNT(ids));
}

static uint32_t add_identity(struct fleet *fleet, str node, const struct pki *leaf,
                             enum load_mode load)
{
    uint32_t chain = chain_of(fleet, leaf);
    struct identity identity = {
        .key = str_printf(&fleet->arena, "%.*s/svc:id", STR_ARG(node)),
        .node = node,
        .service = S("svc"),
        .store = S("id"),
        .load = load,
        .has_reference = true,
        .stored = chain,
        .loaded = chain,
    };
    return model_add_identity(&fleet->model, &identity);
}

static uint32_t add_truster(struct fleet *fleet, str node, enum load_mode load)
{
    uint32_t anchors = model_anchors(&fleet->model, &fleet->root_id, 1);
    struct trust_store store = { .key = str_printf(&fleet->arena, "%.*s/ca", STR_ARG(node)),
                                 .node = node,
                                 .name = S("ca"),
                                 .anchors = anchors };
    struct truster truster = { .key = str_printf(&fleet->arena, "%.*s/svc:ca", STR_ARG(node)),
                               .node = node,
                               .service = S("svc"),
                               .load = load,
                               .loaded = anchors };
    list_push(&fleet->arena, &truster.stores) = model_add_store(&fleet->model, &store);
    return model_add_truster(&fleet->model, &truster);
}

static uint32_t add_service(struct fleet *fleet, str node, uint32_t truster, bool listens)
{
    struct service service = {
        .key = str_printf(&fleet->arena, "%.*s/svc", STR_ARG(node)),
        .node = node,
        .name = S("svc"),
        .role = listens ? S("primary") : S(""),
        .client_auth = listens ? CLIENT_AUTH_REQUIRED : CLIENT_AUTH_NONE,
        .client_truster = listens ? truster : NO_ID,
    };
    return model_add_service(&fleet->model, &service);
}

static void fleet_make(struct fleet *fleet, size_t links)
{
    model_init(&fleet->model, &fleet->arena);
    fleet->root_id = model_cert(&fleet->model, &fleet->root.cert);
    uint32_t own = add_identity(fleet, S("hub"), &fleet->server, LOAD_RELOAD);
    uint32_t hub = add_service(fleet, S("hub"), add_truster(fleet, S("hub"), LOAD_RELOAD), true);
    for (size_t i = 0; i < links; i++) {
        str node = str_printf(&fleet->arena, "n%zu", i);
        uint32_t identity =
            add_identity(fleet, node, &fleet->leaves[i % LEAVES], LOAD_PER_CONNECTION);
        uint32_t truster = add_truster(fleet, node, LOAD_PER_CONNECTION);
        struct link link = { .key = str_printf(&fleet->arena, "n%zu->hub", i),
                             .from = add_service(fleet, node, truster, false),
                             .to = hub,
                             .server_identity = own,
                             .client_identity = identity,
                             .client_truster = truster,
                             .verify = VERIFY_FULL,
                             .name = S("hub.example") };
        model_add_link(&fleet->model, &link);
    }
    judge_init(&fleet->judge, &fleet->model);
}

static void certificates_make(struct fleet *fleet)
{
    fleet->root = pki_make(&fleet->arena, &(struct pki_spec){ .name = "Root", .ca = true });
    fleet->middle = pki_make(
        &fleet->arena, &(struct pki_spec){ .name = "Middle", .ca = true, .issuer = &fleet->root });
    fleet->server =
        pki_make(&fleet->arena, &(struct pki_spec){ .name = "hub",
                                                    .issuer = &fleet->middle,
                                                    .san = "DNS:hub.example",
                                                    .not_after = PKI_NOW + 10 * PKI_DAY });
    for (size_t i = 0; i < LEAVES; i++)
        fleet->leaves[i] =
            pki_make(&fleet->arena,
                     &(struct pki_spec){ .name = str_printf(&fleet->arena, "client%zu", i).ptr,
                                         .issuer = &fleet->middle,
                                         .not_after = PKI_NOW + 60 * PKI_DAY });
}

static void report(const char *what, size_t count, double took)
{
    printf("%-44s %9zu  %8.3f s  %12.0f /s\n", what, count, took, (double)count / took);
}

static void time_judge(struct fleet *fleet)
{
    size_t count = fleet->model.links.count, good = 0;
    double start = seconds();
    for (size_t i = 0; i < count; i++) {
        const struct link *link = &fleet->model.links.items[i];
        good += judge_link(&fleet->judge, link, ends_loaded(&fleet->model, link), PKI_NOW).ok;
    }
    report("reseal: links judged, both directions, cold", count, seconds() - start);
    start = seconds();
    for (int round = 0; round < ROUNDS; round++)
        for (size_t i = 0; i < count; i++) {
            const struct link *link = &fleet->model.links.items[i];
            good += judge_link(&fleet->judge, link, ends_loaded(&fleet->model, link), PKI_NOW).ok;
        }
    report("reseal: the same, warm", count * ROUNDS, seconds() - start);
    if (good != count * (ROUNDS + 1))
        abort();
    printf("%-44s %9zu\n", "        signature checks", (size_t)fleet->judge.facts.signature_checks);
}

static bool verify(X509_STORE *store, X509 *leaf, STACK_OF(X509) * chain, int purpose)
{
    AUTO(X509_STORE_CTX) X509_STORE_CTX *context = X509_STORE_CTX_new();
    X509_STORE_CTX_init(context, store, leaf, chain);
    X509_STORE_CTX_set_purpose(context, purpose);
    X509_STORE_CTX_set_time(context, 0, PKI_NOW);
    return X509_verify_cert(context) == 1;
}

/* The same question asked of OpenSSL for every link: parsed once, verified each time. */
static void time_openssl(struct fleet *fleet, size_t count)
{
    AUTO(X509_STORE) X509_STORE *store = X509_STORE_new();
    AUTO(X509) X509 *root = cert_x509(&fleet->root.cert);
    AUTO(X509) X509 *middle = cert_x509(&fleet->middle.cert);
    AUTO(X509) X509 *server = cert_x509(&fleet->server.cert);
    X509 *leaves[LEAVES];
    STACK_OF(X509) *chain = sk_X509_new_null();
    size_t good = 0;
    X509_STORE_add_cert(store, root);
    sk_X509_push(chain, middle);
    for (size_t i = 0; i < LEAVES; i++)
        leaves[i] = cert_x509(&fleet->leaves[i].cert);
    double start = seconds();
    for (size_t i = 0; i < count; i++)
        good += verify(store, server, chain, X509_PURPOSE_SSL_SERVER) &&
                verify(store, leaves[i % LEAVES], chain, X509_PURPOSE_SSL_CLIENT);
    report("X509_verify_cert, twice a link", count, seconds() - start);
    if (good != count)
        abort();
    for (size_t i = 0; i < LEAVES; i++)
        X509_free(leaves[i]);
    sk_X509_free(chain);
}

static void time_plan(struct fleet *fleet)
{
    struct plan plan;
    struct plan_goal goal = { .cluster = S("bench"),
                              .now = PKI_NOW,
                              .renew_before = 30 * PKI_DAY,
                              .lifetime = 90 * PKI_DAY,
                              .issuer = fleet->root_id,
                              .max_unavailable = 1 };
    double start = seconds();
    plan_make(&fleet->arena, &fleet->judge, &goal, &plan);
    double took = seconds() - start;
    uint64_t judged = 0;
    for (size_t i = 0; i < plan.waves.count; i++)
        judged += plan.waves.items[i].judged;
    report("reseal: the server's renewal, planned, proven", fleet->model.links.count, took);
    printf("%-44s %9llu\n", "        states judged for the proof", (unsigned long long)judged);
    if (!plan.proven)
        abort();
}

static void write_pem(const char *folder, const char *name, str pem)
{
    AUTO(err) struct err err = { 0 };
    AUTO(arena) struct arena arena = { 0 };
    str path = str_printf(&arena, "%s/%s", folder, name);
    struct io_owner ours = { (uid_t)-1, (gid_t)-1, 0644 };
    if (!io_replace(path.ptr, pem, ours, &err))
        abort();
}

int main(int argc, char **argv)
{
    static struct fleet fleet;
    size_t links = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
    if (argc != 3 || links == 0)
        return fprintf(stderr, "usage: bench-judge LINKS FOLDER\n"), 2;
    certificates_make(&fleet);
    write_pem(argv[2], "root.pem", fleet.root.pem);
    write_pem(argv[2], "middle.pem", fleet.middle.pem);
    write_pem(argv[2], "server.pem", fleet.server.pem);
    fleet_make(&fleet, links);
    time_judge(&fleet);
    time_openssl(&fleet, links < 20000 ? links : 20000);
    time_plan(&fleet);
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("%-44s %9ld KiB, %.0f bytes a link\n", "        memory at the most", usage.ru_maxrss,
           (double)usage.ru_maxrss * 1024 / (double)links);
    arena_free(&fleet.arena);
    return 0;
}

/* tests/pki.c fails a test where it cannot go on; there is none here. */
void test_register(const char *name, CMUnitTestFunction run)
{
    (void)name, (void)run;
}
