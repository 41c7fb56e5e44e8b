/* SPDX-License-Identifier: Apache-2.0 */
#include "x509/profile.h"

#include "tests/pki.h"
#include "tests/test.h"

TEST(dates_are_backdated_and_capped_by_the_issuer_or_refused)
{
    const struct {
        int64_t issuer_from, issuer_until; /* days from now */
        int64_t lifetime;                  /* days */
        bool ok;
        moment not_before, not_after; /* from now, when ok */
    } cases[] = {
        {-100,  3650, 90, true,  -300, 90 * PKI_DAY},
        { -100, 60,   90, true,  -300, 60 * PKI_DAY}, /* capped */
        { -100, 30,   90, true,  -300, 30 * PKI_DAY}, /* as short as it may be */
        { -100, 29,   90, false, 0,    0           }, /* due at once */
        { -100, 3650, 10, true,  -300, 10 * PKI_DAY}, /* short by policy, not by the cap */
        { 0,    3650, 90, true,  0,    90 * PKI_DAY}, /* never before the issuer */
        { 1,    3650, 90, false, 0,    0           }, /* issuer not valid yet */
        { -100, -1,   90, false, 0,    0           }, /* issuer expired */
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(err) struct err err = { 0 };
        struct cert issuer = { .sha256 = S("0123456789"), .common_name = S("Root") };
        issuer.not_before = PKI_NOW + cases[i].issuer_from * PKI_DAY;
        issuer.not_after = PKI_NOW + cases[i].issuer_until * PKI_DAY;
        struct profile profile = { NULL, &issuer, PKI_NOW, cases[i].lifetime * PKI_DAY,
                                   30 * PKI_DAY };
        moment from = 0, until = 0;
        check_int(profile_dates(&profile, &from, &until, &err), cases[i].ok);
        check_int(err.kind, cases[i].ok ? ERR_NONE : ERR_REFUSED);
        if (cases[i].ok) {
            check_int(from - PKI_NOW, cases[i].not_before);
            check_int(until - PKI_NOW, cases[i].not_after);
        }
    }
}

TEST(the_diff_shows_what_changes_before_anything_is_issued)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct pki old_root = pki_make(&arena, &(struct pki_spec){ .name = "Old", .ca = true });
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "New", .ca = true });
    struct pki leaf =
        pki_make(&arena, &(struct pki_spec){ .name = "db1",
                                             .issuer = &old_root,
                                             .san = "DNS:db1,DNS:db1.lan",
                                             .key_usage = "critical,digitalSignature,keyCertSign",
                                             .extended_key_usage = "serverAuth,clientAuth" });
    struct profile profile = { &leaf.cert, &root.cert, PKI_NOW, 45 * PKI_DAY, 30 * PKI_DAY };
    struct cert planned;
    check_ok(planned_certificate(&arena, &profile, true, &planned, &err), &err);
    profile_rows rows;
    profile_diff(&arena, &leaf.cert, &planned, &rows);
    str old_key = str_printf(&arena, "sha256:%s", leaf.cert.spki_sha256.ptr);
    const struct profile_row want[] = {
        {"key",                 S("EC 256"),                        S("EC 256"),                 false},
        { "public_key",         old_key,                            S("new"),                    true },
        { "issuer",             S("CN=Old"),                        S("CN=New"),                 true },
        { "subject",            S("CN=db1"),                        S("CN=db1"),                 false},
        { "names",              S("DNS:db1, DNS:db1.lan"),          S("DNS:db1, DNS:db1.lan"),   false},
        { "key_usage",          S("digitalSignature, keyCertSign"), S("digitalSignature"),       true },
        { "extended_key_usage", S("serverAuth, clientAuth"),        S("serverAuth, clientAuth"), false},
        { "ca",                 S("no"),                            S("no"),                     false},
        { "lifetime",           S("91 days"),                       S("45 days"),                true },
    };
    check_int(rows.count, COUNT(want));
    for (size_t i = 0; i < COUNT(want); i++) {
        check_str(str_c(rows.items[i].field), str_c(want[i].field));
        check_str(rows.items[i].old_value, want[i].old_value);
        check_str(rows.items[i].new_value, want[i].new_value);
        check_int(rows.items[i].changed, want[i].changed);
    }
    check_ok(planned_certificate(&arena, &profile, false, &planned, &err), &err);
    check_str(planned.spki_sha256, leaf.cert.spki_sha256);
}
