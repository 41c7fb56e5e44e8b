/* SPDX-License-Identifier: Apache-2.0 */
#include "store/der.h"

#include "store/key.h"
#include "x509/auto.h"

#include <openssl/err.h>
#include <openssl/pkcs12.h>

DEFINE_AUTO(PKCS12, PKCS12 *, PKCS12_free(*handle))

size_t der_length(str bytes)
{
    const unsigned char *at = (const unsigned char *)bytes.ptr;
    if (bytes.len < 2 || at[0] != 0x30)
        return 0;
    size_t octets = at[1] & 0x7f, len = at[1];
    if ((at[1] & 0x80) != 0) {
        if (octets < 1 || octets > 4 || bytes.len < 2 + octets)
            return 0;
        len = 0;
        for (size_t i = 0; i < octets; i++)
            len = len << 8 | at[2 + i];
        len += octets;
    }
    return len + 2 <= bytes.len ? len + 2 : 0;
}

bool der_is_crl(str der)
{
    const unsigned char *at = (const unsigned char *)der.ptr, *end = at + der.len;
    AUTO(X509_CRL) X509_CRL *crl = d2i_X509_CRL(NULL, &at, (long)der.len);
    ERR_clear_error();
    return crl != NULL && at == end;
}

bool der_is_request(str der)
{
    const unsigned char *at = (const unsigned char *)der.ptr, *end = at + der.len;
    AUTO(X509_REQ) X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)der.len);
    ERR_clear_error();
    return request != NULL && at == end;
}

static bool is_pkcs12(str der)
{
    const unsigned char *at = (const unsigned char *)der.ptr;
    AUTO(PKCS12) PKCS12 *pkcs12 = d2i_PKCS12(NULL, &at, (long)der.len);
    ERR_clear_error();
    return pkcs12 != NULL;
}

bool der_sniff(str bytes)
{
    /* A short SEQUENCE could be a text that begins with "0": then it must fill the file. */
    size_t len = der_length(bytes);
    return len > 0 && ((unsigned char)bytes.ptr[1] >= 0x81 || len == bytes.len);
}

static bool read_plain(struct arena *arena, str der, struct store *store)
{
    AUTO(err) struct err err = { 0 };
    struct cert *cert = arena_new(arena, struct cert);
    if (cert_parse(arena, der, cert, &err)) {
        store_add(arena, store, ENTRY_TRUSTED)->cert = cert;
        return true;
    }
    bool request = der_is_request(der);
    if (!request && !der_is_crl(der))
        return false;
    store_add(arena, store, request ? ENTRY_REQUEST : ENTRY_CRL)->der = str_copy(arena, der);
    return true;
}

void der_read(struct arena *arena, str bytes, const struct store_options *options,
              struct store *store)
{
    str der = { bytes.ptr, der_length(bytes) };
    AUTO(EVP_PKEY) EVP_PKEY *key = NULL;
    if (der.len < bytes.len)
        finding_add(arena, &store->findings, FINDING_keystore_format, store->path,
                    str_printf(arena, "%zu bytes follow the DER value that ends at byte %zu",
                               bytes.len - der.len, der.len));
    if (read_plain(arena, der, store))
        return;
    enum key_outcome outcome = key_of_der(der, (str){ 0 }, &key);
    bool sealed = outcome == KEY_LOCKED;
    if (sealed && options->password.ptr != NULL)
        outcome = key_of_der(der, options->password, &key);
    store_add_key(arena, store, outcome, key, 0);
    if (sealed && outcome == KEY_OPEN)
        store->entries.items[store->entries.count - 1].encrypted = true;
    if (outcome != KEY_MALFORMED)
        return;
    finding_add(arena, &store->findings, FINDING_keystore_format, store->path,
                is_pkcs12(der) ? S("a PKCS#12 store, which is not read yet")
                               : S("DER that is neither a certificate, a key, a request nor a "
                                   "CRL"));
}
