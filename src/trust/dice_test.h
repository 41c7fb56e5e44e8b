/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dice_test.h - certificates, chains and trust stores put together at random (with a fixed seed),
 * faults included, so that a library can be asked what the judge is asked.
 */
#ifndef TRUST_DICE_TEST_H
#define TRUST_DICE_TEST_H

#include "trust/judge.h"

#include "tests/pki.h"
#include "tests/test.h"

enum { ROOTS = 6, INTERMEDIATES = 14, LEAVES = 160, ROUNDS = 3000 };

struct world {
    struct arena arena;
    struct model model;
    struct judge judge;
    struct pki roots[ROOTS], intermediates[INTERMEDIATES];
    uint32_t root_ids[ROOTS], intermediate_ids[INTERMEDIATES], leaf_ids[LEAVES];
    uint32_t leaf_issuer[LEAVES]; /* index of its intermediate, INTERMEDIATES: the first root */
    uint64_t random;
};

/* Knuth's MMIX generator: the same sequence everywhere. */
static inline uint32_t pick(struct world *world, uint32_t below)
{
    world->random = world->random * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(world->random >> 33) % below;
}

static inline bool once_in(struct world *world, uint32_t times)
{
    return pick(world, times) == 0;
}

static inline void make_roots(struct world *world)
{
    struct arena *arena = &world->arena;
    struct pki *roots = world->roots;
    struct pki_spec root = { .name = "Root", .ca = true };
    roots[0] = pki_make(arena, &root);
    roots[1] = pki_make(arena, &root); /* the same name, another key */
    struct pki_spec expired = root;
    expired.key_of = &roots[0];
    expired.not_before = PKI_NOW - 10 * PKI_DAY;
    expired.not_after = PKI_NOW - 5 * PKI_DAY;
    roots[2] = pki_make(arena, &expired);
    struct pki_spec other = { .name = "Other", .ca = true };
    roots[3] = pki_make(arena, &other);
    struct pki_spec nameless = { .name = "Root", .ca = true, .no_key_ids = true };
    roots[4] = pki_make(arena, &nameless); /* fits by name, its key is another */
    struct pki_spec purpose = { .name = "Root",
                                .ca = true,
                                .key_of = &roots[0],
                                .digest = "SHA1",
                                .extended_key_usage = "clientAuth" };
    roots[5] = pki_make(arena, &purpose);
    for (size_t i = 0; i < ROOTS; i++)
        world->root_ids[i] = model_cert(&world->model, &roots[i].cert);
}

static inline void make_intermediates(struct world *world)
{
    struct pki *roots = world->roots, *made = world->intermediates;
    const moment day = PKI_DAY;
    const struct pki_spec specs[INTERMEDIATES] = {
        {.name = "I",                                        .ca = true                             },
        {                                                       .name = "I",                                        .ca = true,                      .key_of = &made[0], .not_after = PKI_NOW - day / 2 },
        {                         .name = "I",                                       .ca = true,                              .key_of = &made[0], .not_before = PKI_NOW + day },
        {             .name = "I",                                                 .basic_constraints = "CA:FALSE",                                                                             .key_of = &made[0] },
        {                                        .name = "I",                                                 .ca = true,                                                                             .key_usage = "digitalSignature", .key_of = &made[0] },
        {                                  .name = "I",                                .ca = true,                                                                      .extended_key_usage = "serverAuth", .key_of = &made[0] },
        {                                                                                .name = "I",                .ca = true,.digest = "SHA1", .key_of = &made[0] },
        {                     .name = "I",                         .ca = true                                                                                }, /* another key */
        {                                                                                                                     .name = "W",                                       .ca = true,                                            .rsa_bits = 1024 },
        {.name = "N",  .ca = true,.name_constraints = "critical,permitted;DNS:example" },
        {                                   .name = "P",                                       .basic_constraints = "critical,CA:TRUE,pathlen:0"                                            },
        {                                                                                                  .name = "Q",.ca = true,.issuer = &made[10] },
        {.name = "X",                               .ca = true,                                                                                                                .no_key_ids = true },
        {                                                                                                                                                                                                                                                            .name = "Q2",                                .ca = true,.issuer = &made[0] },
    };
    for (size_t i = 0; i < INTERMEDIATES; i++) {
        struct pki_spec spec = specs[i];
        spec.issuer = spec.issuer == NULL ? &roots[0] : spec.issuer;
        made[i] = pki_make(&world->arena, &spec);
        world->intermediate_ids[i] = model_cert(&world->model, &made[i].cert);
    }
}

static inline struct pki_spec random_leaf(struct world *world, const struct pki *weak)
{
    static const char *const extended[] = { "serverAuth", "clientAuth", "codeSigning",
                                            "anyExtendedKeyUsage" };
    static const char *const usages[] = { "digitalSignature", "keyEncipherment", "keyAgreement",
                                          "nonRepudiation" };
    static const char *const names[] = { "DNS:db1.example", "DNS:db2.example,IP:127.0.0.1",
                                         "DNS:*.net.example", "DNS:db1.other", "IP:127.0.0.1" };
    struct pki_spec spec = { .name = once_in(world, 2) ? "db1.example" : "db1.other" };
    spec.extended_key_usage = once_in(world, 3) ? extended[pick(world, COUNT(extended))] : NULL;
    spec.key_usage = once_in(world, 3) ? usages[pick(world, COUNT(usages))] : NULL;
    spec.san = once_in(world, 4) ? NULL : names[pick(world, COUNT(names))];
    spec.digest = once_in(world, 15) ? "SHA1" : NULL;
    spec.key_of = once_in(world, 15) ? weak : NULL;
    spec.not_after = once_in(world, 6) ? PKI_NOW - PKI_DAY / 2 : 0;
    if (once_in(world, 12))
        spec.not_after = PKI_NOW; /* OpenSSL: over in that second */
    if (once_in(world, 12))
        spec.not_before = PKI_NOW + (once_in(world, 2) ? PKI_DAY : 0);
    spec.no_key_ids = once_in(world, 6);
    return spec;
}

static inline void make_leaves(struct world *world)
{
    struct pki weak =
        pki_make(&world->arena, &(struct pki_spec){ .name = "weak", .rsa_bits = 1024 });
    for (size_t i = 0; i < LEAVES; i++) {
        struct pki_spec spec = random_leaf(world, &weak);
        uint32_t issuer = once_in(world, 3) ? INTERMEDIATES : pick(world, INTERMEDIATES);
        spec.issuer = issuer == INTERMEDIATES ? &world->roots[0] : &world->intermediates[issuer];
        spec.no_key_ids = spec.no_key_ids || spec.issuer->cert.subject_key_id.len == 0;
        if (once_in(world, 20)) /* self-signed, some with the name of a root */
            spec = (struct pki_spec){ .name = once_in(world, 2) ? "Root" : "db1.example" };
        world->leaf_issuer[i] = issuer;
        struct pki leaf = pki_make(&world->arena, &spec);
        world->leaf_ids[i] = model_cert(&world->model, &leaf.cert);
    }
}

/* A chain that is right more often than not, or has too little, too much or the wrong order. */
static inline uint32_t random_chain(struct world *world, uint32_t leaf)
{
    uint32_t chain[8] = { world->leaf_ids[leaf] }, issuer = world->leaf_issuer[leaf];
    size_t count = 1;
    if (once_in(world, 8))
        chain[count++] = world->intermediate_ids[pick(world, INTERMEDIATES)];
    if (issuer != INTERMEDIATES && !once_in(world, 6))
        chain[count++] = world->intermediate_ids[issuer];
    if (issuer == 11 && !once_in(world, 6))
        chain[count++] = world->intermediate_ids[10];
    if (issuer == 13 && !once_in(world, 6))
        chain[count++] = world->intermediate_ids[0];
    if (once_in(world, 6))
        chain[count++] = world->intermediate_ids[pick(world, INTERMEDIATES)];
    if (once_in(world, 5))
        chain[count++] = world->root_ids[pick(world, ROOTS)];
    return model_chain(&world->model, chain, count);
}

static inline uint32_t random_anchors(struct world *world, uint32_t leaf)
{
    uint32_t anchors[8];
    size_t count = 0;
    if (!once_in(world, 5))
        anchors[count++] = world->root_ids[0];
    while (once_in(world, 2) && count < 5)
        anchors[count++] = world->root_ids[pick(world, ROOTS)];
    if (once_in(world, 8))
        anchors[count++] = world->intermediate_ids[pick(world, INTERMEDIATES)];
    if (once_in(world, 10))
        anchors[count++] = world->leaf_ids[leaf];
    return model_anchors(&world->model, anchors, count);
}

struct question {
    enum tls_role role;
    uint32_t chain, anchors;
    str name; /* empty: not verified */
    moment at;
};

static inline struct verdict ask_judge(struct world *world, const struct question *question,
                                       enum stack_id stack)
{
    world->model.services.items[0].stack = stack;
    bool signer = question->role == ROLE_SIGNER, server = signer || question->role == ROLE_SERVER;
    struct link link = { .kind = signer ? LINK_SIGNER : LINK_CONNECT,
                         .server_identity = NO_ID,
                         .verify = !server                  ? VERIFY_NONE
                                   : question->name.len > 0 ? VERIFY_FULL
                                                            : VERIFY_CA,
                         .name = question->name };
    struct ends ends = { NO_ID, NO_ID, NO_ID, NO_ID };
    *(server ? &ends.server_chain : &ends.client_chain) = question->chain;
    *(server ? &ends.client_anchors : &ends.server_anchors) = question->anchors;
    return judge_link(&world->judge, &link, ends, question->at);
}

static inline void make_world(struct world *world, uint64_t seed)
{
    world->random = seed;
    model_init(&world->model, &world->arena);
    judge_init(&world->judge, &world->model);
    make_roots(world);
    make_intermediates(world);
    make_leaves(world);
    model_add_service(&world->model, &(struct service){ .key = S("db1/postgres"),
                                                        .client_auth = CLIENT_AUTH_REQUIRED,
                                                        .client_truster = NO_ID });
}

static inline struct question random_question(struct world *world)
{
    const str names[] = { S(""), S("db1.example"), S("db2.example"), S("db3.net.example"),
                          S("127.0.0.1") };
    static const moment days[] = { 0, 0, 0, PKI_DAY, -PKI_DAY / 2, 91 * PKI_DAY, -2 * PKI_DAY };
    uint32_t leaf = pick(world, LEAVES);
    return (struct question){ .role = (enum tls_role)pick(world, ROLE_COUNT),
                              .chain = random_chain(world, leaf),
                              .anchors = random_anchors(world, leaf),
                              .name = names[pick(world, COUNT(names))],
                              .at = PKI_NOW + days[pick(world, COUNT(days))] };
}

#endif
