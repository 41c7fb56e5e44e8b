/* SPDX-License-Identifier: Apache-2.0 */
#include "x509/recent.h"

#include "x509/auto.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <string.h>

struct recent {
    unsigned char sha256[SHA256_DIGEST_LENGTH];
    X509 *x509;
};

/* The one that was asked for last is the first. */
static struct recent recent[RECENT_MAX];
static size_t decoded;

static X509 *decode(str der)
{
    const unsigned char *at = (const unsigned char *)der.ptr, *end = at + der.len;
    if (der.len == 0 || der.len > LONG_MAX)
        return NULL;
    AUTO(X509) X509 *x509 = d2i_X509(NULL, &at, (long)der.len);
    ERR_clear_error();
    return x509 != NULL && at == end ? TAKE(x509) : NULL;
}

static void put_first(struct recent row, size_t from)
{
    memmove(&recent[1], &recent[0], from * sizeof(*recent));
    recent[0] = row;
}

X509 *recent_x509(str der)
{
    struct recent row = { 0 };
    SHA256((const unsigned char *)der.ptr, der.len, row.sha256);
    for (size_t i = 0; i < RECENT_MAX && recent[i].x509 != NULL; i++)
        if (memcmp(recent[i].sha256, row.sha256, sizeof(row.sha256)) == 0) {
            put_first(recent[i], i);
            X509_up_ref(recent[0].x509);
            return recent[0].x509;
        }
    row.x509 = decode(der);
    if (row.x509 == NULL)
        return NULL;
    decoded++;
    X509_free(recent[RECENT_MAX - 1].x509);
    put_first(row, RECENT_MAX - 1);
    X509_up_ref(row.x509);
    return row.x509;
}

size_t recent_decoded(void)
{
    return decoded;
}
