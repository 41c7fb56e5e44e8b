/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/path.h"

#include <openssl/x509v3.h>

/* How many issuers a search looks at before it gives up (Go: maxChainSignatureChecks), and how
   many intermediates JSSE's builder and GnuTLS put up with. */
enum { SEARCH_STEPS = 100, JSSE_INTERMEDIATES = 5, GNUTLS_CERTS = 16 };

struct search {
    const struct path_query *query;
    const uint32_t *presented, *anchors;
    size_t presented_count, anchor_count;
    size_t longest; /* intermediates */
    bool (*fits)(struct facts *facts, uint32_t cert, uint32_t issuer);
    struct path path, best; /* the one that is being built, and the longest without an anchor */
    size_t steps;
    size_t segment;   /* GnuTLS: how many were in the order of signing */
    bool found, done; /* a complete path was shown; it was taken */
};

static const struct cert *cert_of(const struct search *search, uint32_t id)
{
    return &search->query->facts->model->certs.items[id];
}

/* In the second of notAfter itself GnuTLS calls it valid, and the others do not. */
static void narrow(const struct search *search, uint32_t cert, struct path *path)
{
    struct cert row = *cert_of(search, cert);
    path_narrow(&row, search->query->at, &path->since, &path->until);
    row.not_after++;
    path_narrow(&row, search->query->at, &path->since, &path->until);
}

static bool is_anchor(const struct search *search, uint32_t cert)
{
    for (size_t i = 0; i < search->anchor_count; i++)
        if (search->anchors[i] == cert)
            return true;
    return false;
}

/* Show the path as it stands, with `anchor` at its end. NO_ID: the last one is an anchor itself. */
static void show(struct search *search, uint32_t anchor)
{
    struct path path = search->path;
    path.complete = true;
    path.untrusted = anchor == NO_ID ? path.count - 1 : path.count;
    if (anchor != NO_ID)
        path.certs[path.count++] = anchor;
    for (size_t i = 0; i < path.count; i++)
        narrow(search, path.certs[i], &path);
    search->found = true;
    search->done = search->query->take(search->query->context, &path);
}

/* The path without an anchor, when there was none with one. */
static void show_best(struct search *search)
{
    const struct path *best = search->best.count > 0 ? &search->best : &search->path;
    struct path path = *best;
    path.untrusted = path.count;
    for (size_t i = 0; i < path.count; i++)
        narrow(search, path.certs[i], &path);
    (void)search->query->take(search->query->context, &path);
}

static void push(struct search *search, uint32_t cert)
{
    search->path.certs[search->path.count++] = cert;
    if (search->path.count > search->best.count)
        search->best = search->path;
}

/* One key under one name is not put on a path twice: cross-signed roots would go round for ever. */
static bool on_path(const struct search *search, uint32_t cert)
{
    const struct cert *row = cert_of(search, cert);
    for (size_t i = 0; i < search->path.count; i++) {
        const struct cert *other = cert_of(search, search->path.certs[i]);
        if (search->path.certs[i] == cert || (str_eq(row->subject_der, other->subject_der) &&
                                              str_eq(row->spki_sha256, other->spki_sha256)))
            return true;
    }
    return false;
}

static uint32_t last_of(const struct search *search)
{
    return search->path.certs[search->path.count - 1];
}

/* An anchor that JSSE gives up at. */
static bool is_odd(const struct search *search, uint32_t anchor)
{
    const struct cert *row = cert_of(search, anchor);
    return row->version == 3 &&
           (!row->ca || (row->has_key_usage && (row->key_usage & KU_KEY_CERT_SIGN) == 0));
}

/* Every anchor that fits above the last certificate. JSSE keeps them in no order: the worst is
   taken first. */
static void try_anchors(struct search *search)
{
    size_t passes = search->query->library == LIBRARY_jsse ? 2 : 1;
    for (size_t i = 0; i < passes * search->anchor_count && !search->done; i++) {
        uint32_t anchor = search->anchors[i % search->anchor_count];
        if ((passes == 2 && is_odd(search, anchor) != (i < search->anchor_count)) ||
            on_path(search, anchor) || !search->fits(search->query->facts, last_of(search), anchor))
            continue;
        search->steps++;
        show(search, anchor);
    }
}

/* Depth first; nested no deeper than a path is long, and no wider than SEARCH_STEPS. */
static void climb(struct search *search)
{
    try_anchors(search);
    uint32_t last = last_of(search);
    for (size_t i = 1; i < search->presented_count && !search->done; i++) {
        uint32_t issuer = search->presented[i];
        if (search->steps >= SEARCH_STEPS || search->path.count > search->longest)
            return;
        if (on_path(search, issuer) || !search->fits(search->query->facts, last, issuer))
            continue;
        search->steps++;
        push(search, issuer);
        climb(search);
        search->path.count--;
    }
}

static bool fits_by_name(struct facts *facts, uint32_t cert, uint32_t issuer)
{
    const struct cert *certs = facts->model->certs.items;
    return str_eq(certs[cert].issuer_der, certs[issuer].subject_der);
}

static bool fits_by_key_id(struct facts *facts, uint32_t cert, uint32_t issuer)
{
    const struct cert *certs = facts->model->certs.items;
    return fits_by_name(facts, cert, issuer) && cert_names_issuer(&certs[cert], &certs[issuer]);
}

static bool fits_by_canonical_name(struct facts *facts, uint32_t cert, uint32_t issuer)
{
    const struct cert *certs = facts->model->certs.items;
    return facts_of(facts, cert)->issuer == facts_of(facts, issuer)->subject &&
           cert_names_issuer(&certs[cert], &certs[issuer]);
}

static void search_go(struct search *search)
{
    search->fits = fits_by_name;
    search->longest = PATH_LONGEST;
    if (is_anchor(search, last_of(search)))
        show(search, NO_ID);
    else
        climb(search);
}

/* Whether an anchor has the name and key of `cert`. */
static bool is_anchors_twin(struct search *search, uint32_t cert)
{
    struct facts *facts = search->query->facts;
    for (size_t i = 0; i < search->anchor_count; i++)
        if (!model_is_pin(facts->model, search->anchors[i]) &&
            facts_of(facts, search->anchors[i])->subject == facts_of(facts, cert)->subject &&
            str_eq(cert_of(search, search->anchors[i])->spki_sha256,
                   cert_of(search, cert)->spki_sha256))
            return true;
    return false;
}

static bool has_anchor_named(struct search *search, uint32_t name)
{
    struct facts *facts = search->query->facts;
    for (size_t i = 0; i < search->anchor_count; i++)
        if (facts_of(facts, search->anchors[i])->subject == name)
            return true;
    return false;
}

/* What was presented, as it comes, up to an anchor's twin. False: it is not in order. */
static bool take_in_order(struct search *search, bool *ret_ends)
{
    struct facts *facts = search->query->facts;
    *ret_ends = false;
    for (size_t i = 1; i < search->presented_count && search->path.count < PATH_LONGEST; i++) {
        uint32_t cert = search->presented[i];
        if (facts_of(facts, cert)->subject != facts_of(facts, last_of(search))->issuer)
            return false;
        *ret_ends = is_anchor(search, cert) || is_anchors_twin(search, cert);
        if (*ret_ends)
            return true;
        push(search, cert);
    }
    return true;
}

static void search_jsse(struct search *search)
{
    bool ends;
    search->fits = fits_by_canonical_name;
    search->longest = JSSE_INTERMEDIATES;
    if (is_anchor(search, last_of(search))) {
        show(search, NO_ID);
        return;
    }
    bool ordered = take_in_order(search, &ends);
    uint32_t issuer = facts_of(search->query->facts, last_of(search))->issuer;
    if (ordered && (ends || has_anchor_named(search, issuer))) {
        try_anchors(search);
        return;
    }
    search->path.count = 1;
    search->path.searched = true;
    climb(search);
}

/* ---- GnuTLS ---- */

static bool is_on_path(const struct search *search, uint32_t cert)
{
    for (size_t i = 0; i < search->path.count; i++)
        if (search->path.certs[i] == cert)
            return true;
    return false;
}

/* The first that was presented, is not taken yet and fits above the last one. */
static uint32_t next_sorted(const struct search *search)
{
    uint32_t last = last_of(search);
    if (search->fits(search->query->facts, last, last))
        return NO_ID;
    for (size_t i = 1; i < search->presented_count; i++) {
        uint32_t issuer = search->presented[i];
        if (!is_on_path(search, issuer) && search->fits(search->query->facts, last, issuer))
            return issuer;
    }
    return NO_ID;
}

static uint32_t next_unsorted(const struct search *search)
{
    for (size_t i = 1; i < search->presented_count; i++)
        if (!is_on_path(search, search->presented[i]))
            return search->presented[i];
    return NO_ID;
}

static bool has_anchor_above(const struct search *search, uint32_t cert)
{
    for (size_t i = 0; i < search->anchor_count; i++)
        if (search->fits(search->query->facts, cert, search->anchors[i]))
            return true;
    return false;
}

/* Segment after segment, each in the order of signing, until an anchor is the issuer of the last.
   What is behind a gap is of no use, but that it can lead to an anchor in front of it. */
static void sort_presented(struct search *search)
{
    for (uint32_t next = NO_ID; search->path.count < GNUTLS_CERTS;) {
        while (search->path.count < GNUTLS_CERTS && (next = next_sorted(search)) != NO_ID)
            push(search, next);
        if (search->segment == 0)
            search->segment = search->path.count;
        next = has_anchor_above(search, last_of(search)) ? NO_ID : next_unsorted(search);
        if (next == NO_ID)
            break;
        push(search, next);
    }
    uint32_t last = last_of(search);
    if (search->path.count > 1 && search->fits(search->query->facts, last, last))
        search->path.count--;
}

/* Where the presented path meets one of the anchors with that name: the leaf by its bytes, an
   issuer by name and key. The path's length when nowhere. */
static size_t meets_at(const struct search *search, str name, uint32_t *ret_anchor)
{
    for (size_t depth = 0; depth < search->path.count; depth++)
        for (size_t i = 0; i < search->anchor_count; i++) {
            const struct cert *cert = cert_of(search, search->path.certs[depth]);
            const struct cert *anchor = cert_of(search, search->anchors[i]);
            bool same = depth == 0 ? search->path.certs[0] == search->anchors[i]
                                   : str_eq(cert->subject_der, anchor->subject_der) &&
                                         str_eq(cert->spki_sha256, anchor->spki_sha256);
            *ret_anchor = search->anchors[i];
            if (same && str_eq(anchor->subject_der, name))
                return depth;
        }
    *ret_anchor = NO_ID;
    return search->path.count;
}

static bool is_valid(struct search *search, uint32_t cert)
{
    const struct cert *row = cert_of(search, cert);
    narrow(search, cert, &search->path);
    return !path_is_early(row, search->query->at) && search->query->at <= row->not_after;
}

/* The first of the anchors with that name that fits, but for a later one that is valid. */
static uint32_t last_valid_anchor(struct search *search, str name)
{
    uint32_t found = NO_ID;
    for (size_t i = 0; i < search->anchor_count; i++)
        if (str_eq(cert_of(search, search->anchors[i])->subject_der, name) &&
            search->fits(search->query->facts, last_of(search), search->anchors[i]) &&
            (found == NO_ID || is_valid(search, search->anchors[i])))
            found = search->anchors[i];
    return found;
}

/* An anchor that is met must be valid, even where another one is the issuer in the end. */
static void try_anchors_named(struct search *search, str name)
{
    uint32_t met;
    size_t whole = search->path.count, cut = meets_at(search, name, &met);
    search->path.count = cut == 0 ? 1 : cut;
    if (cut == 0 || (met != NO_ID && !is_valid(search, met)))
        show(search, cut == 0 ? NO_ID : met);
    else if ((met = last_valid_anchor(search, name)) != NO_ID)
        show(search, met);
    search->path.count = whole;
}

static void search_gnutls(struct search *search)
{
    search->fits = fits_by_key_id;
    sort_presented(search);
    const struct cert *last = cert_of(search, last_of(search));
    try_anchors_named(search, last->issuer_der);
    if (!search->done && !str_eq(last->issuer_der, last->subject_der))
        try_anchors_named(search, last->subject_der);
    search->best = search->path;
    search->best.count = search->segment;
}

void path_each(const struct path_query *query)
{
    static void (*const searches[LIBRARY_COUNT])(struct search * search) = {
        [LIBRARY_gnutls] = search_gnutls, [LIBRARY_go] = search_go, [LIBRARY_jsse] = search_jsse
    };
    struct search search = { .query = query };
    if (searches[query->library] == NULL) {
        path_build(query->facts, query->chain, query->anchors, query->at, &search.path);
        (void)query->take(query->context, &search.path);
        return;
    }
    search.presented = model_members(query->chain, &search.presented_count);
    search.anchors = model_members(query->anchors, &search.anchor_count);
    search.path = (struct path){ .since = INT64_MIN, .until = INT64_MAX };
    push(&search, search.presented[0]);
    searches[query->library](&search);
    if (!search.found)
        show_best(&search);
}
