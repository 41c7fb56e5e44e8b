/* SPDX-License-Identifier: Apache-2.0 */
#include "store/findings.h"

#include "store/store_test.h"
#include "tests/test.h"

static str joined(struct arena *arena, const struct pki *const *pki, size_t count)
{
    struct buf buf = { 0 };
    for (size_t i = 0; i < count && pki[i] != NULL; i++)
        buf_add(arena, &buf, pki[i]->pem);
    return buf_str(&buf);
}

TEST(a_certificate_is_over_in_the_second_of_its_not_after_as_openssl_counts)
{
    AUTO(arena) struct arena arena = { 0 };
    const moment renew = 30 * PKI_DAY;
    static const enum finding_code none = FINDING_COUNT;
    // clang-format off
    const struct {
        moment not_after;
        bool ca;
        enum finding_code code;
    } cases[] = {
        { PKI_NOW - 1, false, FINDING_expired },
        { PKI_NOW, false, FINDING_expired },
        { PKI_NOW + 1, false, FINDING_expiring },
        { PKI_NOW + renew - 1, false, FINDING_expiring },
        { PKI_NOW + renew, false, none },
        { PKI_NOW, true, FINDING_expired },
        { PKI_NOW + 1, true, FINDING_root_expiring },
        { PKI_NOW + renew, true, none },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pki pki = pki_make(&arena, &(struct pki_spec){ .name = "x",
                                                              .ca = cases[i].ca,
                                                              .not_before = 1,
                                                              .not_after = cases[i].not_after });
        struct store store = parsed(&arena, pki.pem, (str){ 0 });
        if (cases[i].code == none)
            check_int(store.findings.count, 0);
        else
            check_str(only_finding(&store, cases[i].code)->where, S("file:1"));
    }
}

TEST(without_renew_before_nothing_is_expiring)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki soon = pki_make(&arena, &(struct pki_spec){ .name = "s", .not_after = PKI_NOW + 1 });
    struct store_options options = { .now = PKI_NOW };
    struct store store;
    store_parse(&arena, S("file"), soon.pem, &options, &store);
    check_int(store.findings.count, 0);
}

TEST(an_intermediate_that_ends_soon_is_not_called_a_root)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki mid = pki_make(
        &arena, &(struct pki_spec){
                    .name = "Mid", .ca = true, .issuer = &root, .not_after = PKI_NOW + PKI_DAY });
    struct store store = parsed(&arena, mid.pem, (str){ 0 });
    only_finding(&store, FINDING_expiring);
}

TEST(a_weak_key_or_signature_is_found_but_not_the_signature_of_an_anchor)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    // clang-format off
    const struct {
        struct pki_spec spec;
        const char *end; /* of the finding's text; NULL: none */
    } cases[] = {
        { { .name = "a", .rsa_bits = 1024 }, " has a key of only 1024 bits" },
        { { .name = "b", .rsa_bits = 2048 }, NULL },
        { { .name = "c" }, NULL },
        { { .name = "d", .issuer = &root, .digest = "SHA1" }, " is signed with ecdsa-with-SHA1" },
        { { .name = "e", .ca = true, .digest = "SHA1" }, NULL },
        { { .name = "f", .issuer = &root, .digest = "SHA384" }, NULL },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct pki pki = pki_make(&arena, &cases[i].spec);
        struct store store = parsed(&arena, pki.pem, (str){ 0 });
        if (cases[i].end == NULL)
            check_int(store.findings.count, 0);
        else
            check(str_ends(only_finding(&store, FINDING_weak_key)->text, str_c(cases[i].end)));
    }
}

TEST(only_a_chain_has_an_order)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki mid =
        pki_make(&arena, &(struct pki_spec){ .name = "Mid", .ca = true, .issuer = &root });
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &mid });
    struct pki peer = pki_make(&arena, &(struct pki_spec){ .name = "db2", .issuer = &mid });
    struct pki other = pki_make(&arena, &(struct pki_spec){ .name = "Other", .ca = true });
    // clang-format off
    const struct {
        const struct pki *files[3];
        bool in_order;
    } cases[] = {
        { { &leaf, &mid, &root }, true },
        { { &leaf, &mid, NULL }, true },
        { { &leaf, NULL }, true },
        { { &root, &mid, NULL }, true }, /* anchors: any order */
        { { &mid, &root, NULL }, true },
        { { &leaf, &peer, &mid }, true }, /* two leaves: a bundle */
        { { &mid, &peer, &leaf }, true },
        { { &leaf, &other, NULL }, true }, /* nothing here signed it */
        { { &leaf, &root, &mid }, false },
        { { &mid, &leaf, NULL }, false },
        { { &root, &mid, &leaf }, false },
        { { &leaf, &other, &mid }, false },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store store = parsed(&arena, joined(&arena, cases[i].files, 3), (str){ 0 });
        if (cases[i].in_order)
            check_int(store.findings.count, 0);
        else
            only_finding(&store, FINDING_chain_out_of_order);
    }
}

TEST(each_certificate_that_outlives_its_issuer_is_found_wherever_it_stands)
{
    AUTO(arena) struct arena arena = { 0 };
    const moment end = PKI_NOW + 60 * PKI_DAY;
    struct pki ca =
        pki_make(&arena, &(struct pki_spec){ .name = "CA", .ca = true, .not_after = end });
    struct pki same =
        pki_make(&arena, &(struct pki_spec){ .name = "same", .issuer = &ca, .not_after = end });
    struct pki later = pki_make(
        &arena, &(struct pki_spec){ .name = "later", .issuer = &ca, .not_after = end + 1 });
    // clang-format off
    const struct {
        const struct pki *files[4];
        size_t found;
    } cases[] = {
        { { &same, &ca, NULL }, 0 },
        { { &later, &ca, NULL }, 1 },
        { { &later, NULL }, 0 },
        { { &later, &same, &ca, NULL }, 1 },
        { { &same, &same, &later, &ca }, 2 }, /* and the duplicate */
        { { &ca, &same, &later, NULL }, 1 },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store store = parsed(&arena, joined(&arena, cases[i].files, 4), (str){ 0 });
        check_int(store.findings.count, cases[i].found);
        if (cases[i].found > 0)
            check_int(store.findings.items[cases[i].found - 1].code, FINDING_leaf_outlives_issuer);
    }
}

TEST(a_duplicate_names_the_entry_it_repeats)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki one = pki_make(&arena, &(struct pki_spec){ .name = "A", .ca = true });
    struct pki two = pki_make(&arena, &(struct pki_spec){ .name = "B", .ca = true });
    const struct pki *files[] = { &one, &two, &two };
    struct store store = parsed(&arena, joined(&arena, files, 3), (str){ 0 });
    const struct finding *finding = only_finding(&store, FINDING_duplicate_certificate);
    check(str_ends(finding->text, S(" is also entry 2")));
    check_int(store.entries.count, 3);
}

TEST(a_key_of_none_of_the_certificates_is_a_mismatch_unless_there_are_several)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki one = pki_make(&arena, &(struct pki_spec){ .name = "A" });
    struct pki two = pki_make(&arena, &(struct pki_spec){ .name = "B" });
    const char *sealed = pki_key_pem_encrypted(&arena, &one, "x", false).ptr;
    // clang-format off
    const struct {
        const char *first, *second, *third;
        bool mismatch;
    } cases[] = {
        { one.key_pem.ptr, two.pem.ptr, "", true },
        { two.pem.ptr, one.key_pem.ptr, "", true },
        { one.key_pem.ptr, one.pem.ptr, "", false },
        { one.key_pem.ptr, two.pem.ptr, one.pem.ptr, false },
        { one.key_pem.ptr, "", "", false },
        { sealed, two.pem.ptr, "", false }, /* locked: nobody knows */
        { one.key_pem.ptr, two.key_pem.ptr, two.pem.ptr, false },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store store = parsed(
            &arena, str_printf(&arena, "%s%s%s", cases[i].first, cases[i].second, cases[i].third),
            (str){ 0 });
        if (cases[i].mismatch)
            only_finding(&store, FINDING_key_mismatch);
        else
            check_int(store.findings.count, 0);
    }
}
