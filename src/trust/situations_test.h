/* SPDX-License-Identifier: Apache-2.0 */
/*
 * situations_test.h - what stacks are known to disagree about, and what each of them answered.
 *
 * The answers were measured, not reasoned: each situation was given to X509_verify_cert() of
 * OpenSSL 3.0.19, gnutls_x509_trust_list_verify_crt2() of GnuTLS 3.7.9, Certificate.Verify() of
 * Go 1.19.8 and Validator.validate() of OpenJDK 17.0.15, at the same moment.
 */
#ifndef TRUST_SITUATIONS_TEST_H
#define TRUST_SITUATIONS_TEST_H

#include "trust/judge.h"

#include "tests/pki.h"

/* Certificates go by letters: l the leaf, i and j the intermediates that signed it (j signed i), r
   the root, R another root of that name with another key, s the root again with its own key, x the
   root's key signed by root o, I the intermediate again with its own key. */
struct situation {
    const char *name;
    struct pki_spec leaf, i, j, r, s, x, twin; /* what is special about each */
    const char *sent, *trusted;                /* letters */
    bool client;                               /* the leaf is a client's */
    const char *answers;                       /* in the order of `measured`: y, n */
};

static const enum stack_id measured[] = { STACK_openssl, STACK_gnutls, STACK_go, STACK_jsse };

#define EXPIRED .not_before = PKI_NOW - 9 * PKI_DAY, .not_after = PKI_NOW - PKI_DAY / 2
#define EARLY   .not_before = PKI_NOW + PKI_DAY

// clang-format off
static const struct situation situations[] = {
    { "all in order", .sent = "li", .trusted = "r", .answers = "yyyy" },
    { "the root is sent too", .sent = "lir", .trusted = "r", .answers = "yyyy" },
    { "the wrong order", .sent = "lji", .trusted = "r", .j = { .name = "J" }, .answers = "yyyy" },
    { "a stranger in between", .sent = "lRi", .trusted = "r", .answers = "yyyy" },
    { "leaf expired", .leaf = { EXPIRED }, .sent = "li", .trusted = "r", .answers = "nnnn" },
    { "leaf early", .leaf = { EARLY }, .sent = "li", .trusted = "r", .answers = "nnnn" },
    { "the second of notAfter", .leaf = { .not_after = PKI_NOW }, .sent = "li", .trusted = "r", .answers = "nynn" },
    { "intermediate expired", .i = { EXPIRED }, .sent = "li", .trusted = "r", .answers = "nnnn" },
    { "root expired", .r = { EXPIRED }, .sent = "li", .trusted = "r", .answers = "nnny" },
    { "root early", .r = { EARLY }, .sent = "li", .trusted = "r", .answers = "nnny" },
    { "root expired, chain not in order", .r = { EXPIRED }, .sent = "lRi", .trusted = "r", .answers = "nnnn" },
    { "root expired, leaf of the root, chain not in order", .r = { EXPIRED }, .leaf = { .organisation = "r" }, .sent = "lo", .trusted = "r", .answers = "nnny" },
    { "intermediate missing", .sent = "l", .trusted = "r", .answers = "nnnn" },
    { "no anchor", .sent = "lir", .trusted = "", .answers = "nnnn" },
    { "intermediate as anchor", .sent = "l", .trusted = "i", .answers = "nyyy" },
    { "intermediate as anchor, sent too", .sent = "li", .trusted = "i", .answers = "nyyy" },
    { "lower intermediate as anchor, both sent", .sent = "lij", .trusted = "i", .j = { .name = "J" }, .answers = "nnyy" },
    { "leaf as anchor", .sent = "l", .trusted = "l", .answers = "nyyy" },
    { "leaf as anchor, sent with its issuer", .sent = "li", .trusted = "l", .answers = "nnyy" },
    { "leaf as anchor, expired", .leaf = { EXPIRED }, .sent = "l", .trusted = "l", .answers = "nnny" },
    { "leaf as anchor, not for a server", .leaf = { .extended_key_usage = "clientAuth" }, .sent = "l", .trusted = "l", .answers = "nnny" },
    { "another root of that name", .sent = "li", .trusted = "R", .answers = "nnnn" },
    { "two roots of one name", .sent = "li", .trusted = "Rr", .answers = "yyyy" },
    { "two roots of one key, one expired", .s = { .name = "Root", EXPIRED }, .sent = "li", .trusted = "sr", .answers = "yyyy" },
    { "two roots of one key, the later one expired", .s = { .name = "Root", EXPIRED }, .sent = "li", .trusted = "rs", .answers = "yyyy" },
    { "two roots of one key, one not for servers", .s = { .name = "Root", .extended_key_usage = "clientAuth" }, .sent = "li", .trusted = "sr", .answers = "nyyy" },
    { "cross-signed root, both ways trusted", .x = { .name = "Root" }, .sent = "lix", .trusted = "ro", .answers = "yyyy" },
    { "cross-signed root, the old way trusted", .x = { .name = "Root" }, .sent = "lix", .trusted = "o", .answers = "yyyy" },
    { "cross-signed root expired, the new way trusted", .x = { .name = "Root", EXPIRED }, .sent = "lix", .trusted = "r", .answers = "yyyy" },
    { "cross-signed root expired, both ways trusted", .x = { .name = "Root", EXPIRED }, .sent = "lix", .trusted = "ro", .answers = "yyyy" },
    { "cross-signed root expired as an anchor", .x = { .name = "Root", EXPIRED }, .sent = "li", .trusted = "xr", .answers = "yyyy" },
    { "two intermediates of one key, the first expired", .twin = { .name = "I", EXPIRED }, .sent = "lIi", .trusted = "r", .answers = "ynyy" },
    { "the root sent again with another key", .sent = "liR", .trusted = "r", .answers = "yyyn" },
    { "server leaf for clients", .leaf = { .extended_key_usage = "clientAuth" }, .sent = "li", .trusted = "r", .answers = "nnnn" },
    { "client leaf for servers", .leaf = { .extended_key_usage = "serverAuth" }, .client = true, .sent = "li", .trusted = "r", .answers = "nnnn" },
    { "leaf for anything", .leaf = { .extended_key_usage = "anyExtendedKeyUsage" }, .sent = "li", .trusted = "r", .answers = "nyyy" },
    { "leaf for code", .leaf = { .extended_key_usage = "codeSigning" }, .sent = "li", .trusted = "r", .answers = "nnnn" },
    { "intermediate for clients", .i = { .extended_key_usage = "clientAuth" }, .sent = "li", .trusted = "r", .answers = "nnny" },
    { "intermediate for anything", .i = { .extended_key_usage = "anyExtendedKeyUsage" }, .sent = "li", .trusted = "r", .answers = "nnyy" },
    { "root for clients", .r = { .extended_key_usage = "clientAuth" }, .sent = "li", .trusted = "r", .answers = "nyny" },
    { "leaf that only repudiates", .leaf = { .key_usage = "nonRepudiation" }, .sent = "li", .trusted = "r", .answers = "nnyn" },
    { "leaf that only enciphers keys", .leaf = { .key_usage = "keyEncipherment" }, .sent = "li", .trusted = "r", .answers = "ynyn" },
    { "client leaf that only agrees on keys", .leaf = { .key_usage = "keyAgreement" }, .client = true, .sent = "li", .trusted = "r", .answers = "ynyn" },
    { "intermediate that is no CA", .i = { .basic_constraints = "CA:FALSE" }, .sent = "li", .trusted = "r", .answers = "nnnn" },
    { "intermediate that may not sign", .i = { .key_usage = "digitalSignature" }, .sent = "li", .trusted = "r", .answers = "nnnn" },
    { "root that is no CA", .r = { .basic_constraints = "CA:FALSE" }, .sent = "li", .trusted = "r", .answers = "nnnn" },
    { "root that may not sign", .r = { .key_usage = "digitalSignature" }, .sent = "li", .trusted = "r", .answers = "nnnn" },
    { "path too long for an intermediate", .j = { .name = "J", .basic_constraints = "critical,CA:TRUE,pathlen:0" }, .sent = "lij", .trusted = "r", .answers = "nnnn" },
    { "path too long for the root", .r = { .basic_constraints = "critical,CA:TRUE,pathlen:0" }, .sent = "li", .trusted = "r", .answers = "nnny" },
    { "a self-issued intermediate makes the path no longer", .j = { .name = "I", .basic_constraints = "critical,CA:TRUE,pathlen:0" }, .sent = "lij", .trusted = "r", .answers = "ynny" },
    { "name constraints keep", .i = { .name_constraints = "critical,permitted;DNS:other" }, .sent = "li", .trusted = "r", .answers = "nnnn" },
    { "name constraints let pass", .i = { .name_constraints = "critical,permitted;DNS:example" }, .sent = "li", .trusted = "r", .answers = "yyyy" },
    { "name constraints of the root", .r = { .name_constraints = "critical,permitted;DNS:other" }, .sent = "li", .trusted = "r", .answers = "nnny" },
    { "name constraints on a CN", .i = { .name_constraints = "critical,permitted;DNS:other" }, .leaf = { .san = "IP:127.0.0.1" }, .sent = "li", .trusted = "r", .answers = "nnyn" },
    { "name constraints on the CN of a client", .i = { .name_constraints = "critical,permitted;DNS:other" }, .leaf = { .san = "IP:127.0.0.1", .extended_key_usage = "clientAuth" }, .client = true, .sent = "li", .trusted = "r", .answers = "nyyn" },
};
// clang-format on

struct scene {
    struct arena *arena;
    struct model model;
    struct judge judge;
    uint32_t ids[128]; /* by letter */
    uint32_t chain, anchors;
};

static inline struct pki scene_add(struct scene *scene, char letter, const struct pki_spec *special,
                                   struct pki_spec spec)
{
    struct pki_spec wanted = *special;
    wanted.name = special->name != NULL ? special->name : spec.name;
    wanted.issuer = spec.issuer;
    wanted.key_of = spec.key_of;
    wanted.ca = spec.ca && special->basic_constraints == NULL;
    wanted.san = special->san != NULL ? special->san : spec.san;
    if (spec.ca && special->basic_constraints != NULL && special->key_usage == NULL)
        wanted.key_usage = "critical,keyCertSign";
    if (wanted.organisation != NULL)
        wanted.organisation = NULL;
    struct pki pki = pki_make(scene->arena, &wanted);
    scene->ids[(unsigned char)letter] = model_cert(&scene->model, &pki.cert);
    return pki;
}

static inline size_t scene_take(const struct scene *scene, const char *letters, uint32_t ids[8])
{
    size_t count = 0;
    for (; letters[count] != '\0'; count++)
        ids[count] = scene->ids[(unsigned char)letters[count]];
    return count;
}

/* A leaf whose organisation is "r" is signed by the root itself. */
static inline void scene_make(struct scene *scene, struct arena *arena,
                              const struct situation *situation)
{
    static const struct pki_spec plain = { 0 };
    uint32_t ids[8];
    *scene = (struct scene){ .arena = arena };
    model_init(&scene->model, arena);
    judge_init(&scene->judge, &scene->model);
    model_add_service(&scene->model, &(struct service){ .key = S("db1/a"),
                                                        .client_auth = CLIENT_AUTH_REQUIRED,
                                                        .client_truster = NO_ID });
    struct pki_spec root = { .name = "Root", .ca = true };
    struct pki r = scene_add(scene, 'r', &situation->r, root);
    scene_add(scene, 'R', &plain, root);
    struct pki o = scene_add(scene, 'o', &plain, (struct pki_spec){ .name = "Other", .ca = true });
    root.key_of = &r;
    scene_add(scene, 's', &situation->s, root);
    root.issuer = &o;
    scene_add(scene, 'x', &situation->x, root);
    struct pki j = r, i;
    struct pki_spec between = { .name = "I", .ca = true, .issuer = &r };
    if (situation->j.name != NULL)
        j = scene_add(scene, 'j', &situation->j, between);
    between.issuer = &j;
    i = scene_add(scene, 'i', &situation->i, between);
    between.key_of = &i;
    scene_add(scene, 'I', &situation->twin, between);
    scene_add(scene, 'l', &situation->leaf,
              (struct pki_spec){ .name = "db1.example",
                                 .san = "DNS:db1.example",
                                 .issuer = situation->leaf.organisation == NULL ? &i : &r });
    scene->chain = model_chain(&scene->model, ids, scene_take(scene, situation->sent, ids));
    scene->anchors = model_anchors(&scene->model, ids, scene_take(scene, situation->trusted, ids));
}

static inline struct verdict scene_judge(struct scene *scene, const struct situation *situation,
                                         enum stack_id stack)
{
    struct link link = { .server_identity = NO_ID,
                         .verify = situation->client ? VERIFY_NONE : VERIFY_CA };
    struct ends ends = { NO_ID, NO_ID, NO_ID, NO_ID };
    *(situation->client ? &ends.client_chain : &ends.server_chain) = scene->chain;
    *(situation->client ? &ends.server_anchors : &ends.client_anchors) = scene->anchors;
    scene->model.services.items[0].stack = stack;
    return judge_link(&scene->judge, &link, ends, PKI_NOW);
}

#endif
