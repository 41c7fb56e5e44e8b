/* SPDX-License-Identifier: Apache-2.0 */
#include "store/identity.h"

#include "base/io.h"
#include "tests/pki.h"
#include "tests/test.h"

#include <stdlib.h>

TEST(a_pair_matches_or_says_which_half_is_missing_or_foreign)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki one = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &root });
    struct pki two = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &root });
    char dir[] = "/tmp/reseal-identity-XXXXXX";
    check(mkdtemp(dir) != NULL);
    const char *crt = str_printf(&arena, "%s/crt", dir).ptr;
    const char *key = str_printf(&arena, "%s/key", dir).ptr;
    const char *chain = str_printf(&arena, "%s%s", one.pem.ptr, root.pem.ptr).ptr;
    const struct {
        const char *crt, *key; /* a key of NULL: no such file */
        bool matches;
        enum finding_code code; /* when `matches` is false */
    } cases[] = {
        {chain,            one.key_pem.ptr,  true,  0                              },
        { chain,           two.key_pem.ptr,  false, FINDING_key_mismatch           },
        { chain,           root.key_pem.ptr, false, FINDING_key_mismatch           },
        { chain,           NULL,             false, FINDING_certificate_without_key},
        { one.key_pem.ptr, one.key_pem.ptr,  false, FINDING_key_without_certificate},
    };
    struct io_owner owner = { (uid_t)-1, (gid_t)-1, 0600 };
    struct store_options options = { .now = PKI_NOW };
    for (size_t i = 0; i < COUNT(cases); i++) {
        struct store_identity identity;
        check_ok(io_replace(crt, str_c(cases[i].crt), owner, &err), &err);
        unlink(key);
        if (cases[i].key != NULL)
            check_ok(io_replace(key, str_c(cases[i].key), owner, &err), &err);
        check_ok(store_identity_read(&arena, crt, key, &options, &identity, &err), &err);
        check_int(identity.matches, cases[i].matches);
        check_int(identity.findings.count, cases[i].matches ? 0 : 1);
        if (!cases[i].matches)
            check_int(identity.findings.items[0].code, cases[i].code);
    }
    check(unlink(crt) == 0 && unlink(key) == 0);
    struct store_identity identity;
    check(!store_identity_read(&arena, crt, key, &options, &identity, &err));
    check(rmdir(dir) == 0);
}
