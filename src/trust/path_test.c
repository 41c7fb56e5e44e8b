/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/path.h"

#include "tests/pki.h"
#include "tests/test.h"
#include "x509/auto.h"

#include <openssl/err.h>

struct fixture {
    struct model model;
    struct facts facts;
    struct pki root, between, leaf;
    uint32_t ids[3]; /* leaf, between, root */
    struct path path;
};

static void set_up(struct fixture *fixture, struct arena *arena)
{
    model_init(&fixture->model, arena);
    facts_init(&fixture->facts, &fixture->model);
    fixture->root = pki_make(arena, &(struct pki_spec){ .name = "Root", .ca = true });
    fixture->between = pki_make(
        arena, &(struct pki_spec){ .name = "Between", .ca = true, .issuer = &fixture->root });
    fixture->leaf =
        pki_make(arena, &(struct pki_spec){ .name = "db1", .issuer = &fixture->between });
    fixture->ids[0] = model_cert(&fixture->model, &fixture->leaf.cert);
    fixture->ids[1] = model_cert(&fixture->model, &fixture->between.cert);
    fixture->ids[2] = model_cert(&fixture->model, &fixture->root.cert);
}

static void build(struct fixture *fixture, uint32_t chain, uint32_t anchors)
{
    path_build(&fixture->facts, fixture->model.chains.items[chain],
               fixture->model.anchor_sets.items[anchors], PKI_NOW, &fixture->path);
}

TEST(a_path_goes_from_the_leaf_over_what_was_presented_to_a_root)
{
    AUTO(arena) struct arena arena = { 0 };
    struct fixture f;
    set_up(&f, &arena);
    uint32_t root = model_anchors(&f.model, &f.ids[2], 1);
    build(&f, model_chain(&f.model, f.ids, 2), root);
    check(f.path.complete && f.path.count == 3 && f.path.untrusted == 2);
    build(&f, model_chain(&f.model, f.ids, 3), root);
    check(f.path.complete && f.path.count == 3 && f.path.untrusted == 2);
    build(&f, model_chain(&f.model, f.ids, 1), root);
    check(!f.path.complete && f.path.count == 1);
}

TEST(a_bare_intermediate_is_no_anchor)
{
    AUTO(arena) struct arena arena = { 0 };
    struct fixture f;
    set_up(&f, &arena);
    uint32_t bare = model_anchors(&f.model, &f.ids[1], 1);
    build(&f, model_chain(&f.model, f.ids, 3), bare);
    check(!f.path.complete && f.path.count == 2 && f.path.untrusted == 1);
    build(&f, model_chain(&f.model, f.ids, 1), model_anchors(&f.model, &f.ids[1], 2));
    check(f.path.complete && f.path.count == 3);
}

TEST(of_two_anchors_with_one_key_the_valid_one_is_taken)
{
    AUTO(arena) struct arena arena = { 0 };
    struct fixture f;
    set_up(&f, &arena);
    struct pki later =
        pki_make(&arena, &(struct pki_spec){ .name = "Root",
                                             .ca = true,
                                             .key_of = &f.root,
                                             .not_before = PKI_NOW + PKI_DAY,
                                             .not_after = PKI_NOW + 9999 * PKI_DAY });
    uint32_t ids[] = { model_cert(&f.model, &later.cert), f.ids[2] };
    build(&f, model_chain(&f.model, f.ids, 2), model_anchors(&f.model, ids, 2));
    check(f.path.complete && f.path.certs[2] == f.ids[2]);
    check_int(f.path.until, PKI_NOW + PKI_DAY);
}

/* What OpenSSL says of the leaf with these anchors, in this order. */
static bool openssl_accepts(const struct pki *leaf, const struct pki *first,
                            const struct pki *second)
{
    AUTO(X509_STORE) X509_STORE *store = X509_STORE_new();
    AUTO(X509_STORE_CTX) X509_STORE_CTX *context = X509_STORE_CTX_new();
    AUTO(X509) X509 *x509 = cert_x509(&leaf->cert);
    AUTO(X509) X509 *one = cert_x509(&first->cert);
    AUTO(X509) X509 *two = cert_x509(&second->cert);
    check(X509_STORE_add_cert(store, one) == 1 && X509_STORE_add_cert(store, two) == 1);
    check(X509_STORE_CTX_init(context, store, x509, NULL) == 1);
    X509_STORE_CTX_set_time(context, 0, PKI_NOW);
    bool good = X509_verify_cert(context) == 1;
    ERR_clear_error();
    return good;
}

TEST(of_two_valid_anchors_with_one_key_the_first_in_the_file_is_taken_for_better_or_worse)
{
    AUTO(arena) struct arena arena = { 0 };
    struct fixture f;
    set_up(&f, &arena);
    struct pki second = pki_make(&arena, &(struct pki_spec){ .name = "Second", .ca = true });
    struct pki crossed = pki_make(
        &arena,
        &(struct pki_spec){ .name = "Second", .ca = true, .issuer = &f.root, .key_of = &second });
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &second });
    uint32_t id = model_cert(&f.model, &leaf.cert);
    uint32_t ids[] = { model_cert(&f.model, &second.cert), model_cert(&f.model, &crossed.cert) };
    const uint32_t back[] = { ids[1], ids[0] };
    build(&f, model_chain(&f.model, &id, 1), model_anchors(&f.model, ids, 2));
    check(f.path.complete && f.path.count == 2);
    check(openssl_accepts(&leaf, &second, &crossed));
    build(&f, model_chain(&f.model, &id, 1), model_anchors(&f.model, back, 2));
    check(!f.path.complete);
    check(!openssl_accepts(&leaf, &crossed, &second));
}

TEST(two_anchors_that_sign_each_other_end_the_search_at_its_limit)
{
    AUTO(arena) struct arena arena = { 0 };
    struct fixture f;
    set_up(&f, &arena);
    struct pki a = pki_make(&arena, &(struct pki_spec){ .name = "A", .ca = true });
    struct pki b = pki_make(&arena, &(struct pki_spec){ .name = "B", .ca = true, .issuer = &a });
    struct pki back =
        pki_make(&arena, &(struct pki_spec){ .name = "A", .ca = true, .issuer = &b, .key_of = &a });
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "x", .issuer = &b });
    uint32_t loop[] = { model_cert(&f.model, &b.cert), model_cert(&f.model, &back.cert) };
    uint32_t id = model_cert(&f.model, &leaf.cert);
    build(&f, model_chain(&f.model, &id, 1), model_anchors(&f.model, loop, 2));
    check(!f.path.complete && f.path.count == PATH_CERTS);
}
