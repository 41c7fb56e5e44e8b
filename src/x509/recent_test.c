/* SPDX-License-Identifier: Apache-2.0 */
#include "x509/recent.h"

#include "tests/pki.h"
#include "tests/test.h"
#include "x509/auto.h"

#include <string.h>

static struct pki made(struct arena *arena, size_t number)
{
    return pki_make(arena, &(struct pki_spec){ .name = str_printf(arena, "%zu", number).ptr });
}

static void ask(const struct pki *pki)
{
    AUTO(X509) X509 *x509 = recent_x509(pki->cert.der);
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct cert cert;
    check(x509 != NULL);
    check_ok(cert_of_x509(&arena, x509, &cert, &err), &err);
    check_str(cert.sha256, pki->cert.sha256);
}

TEST(a_certificate_that_is_asked_for_again_and_again_is_decoded_once)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki issuer = made(&arena, 1000);
    ask(&issuer);
    size_t before = recent_decoded();
    for (size_t i = 0; i < 3 * RECENT_MAX; i++) {
        struct pki leaf = made(&arena, i);
        ask(&leaf);
        ask(&issuer);
        ask(&leaf);
    }
    check_int(recent_decoded() - before, 3 * RECENT_MAX);
}

TEST(a_certificate_that_was_pushed_out_is_decoded_again)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki first = made(&arena, 2000);
    ask(&first);
    for (size_t i = 0; i < RECENT_MAX; i++) {
        struct pki other = made(&arena, 3000 + i);
        ask(&other);
    }
    size_t before = recent_decoded();
    ask(&first);
    check_int(recent_decoded() - before, 1);
}

TEST(what_is_no_certificate_is_none_each_time)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki pki = made(&arena, 4000);
    str der = pki.cert.der;
    char *longer = arena_alloc(&arena, der.len + 1, 1);
    memcpy(longer, der.ptr, der.len);
    for (int round = 0; round < 2; round++) {
        check(recent_x509(S("")) == NULL);
        check(recent_x509((str){ der.ptr, der.len - 1 }) == NULL);
        check(recent_x509((str){ longer, der.len + 1 }) == NULL);
    }
}
