/* SPDX-License-Identifier: Apache-2.0 */
#include "x509/name.h"

#include "x509/auto.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <string.h>
#include <strings.h>

DEFINE_AUTO(X509_NAME, X509_NAME *, X509_NAME_free(*handle))

str name_of_x500(struct arena *arena, const X509_NAME *name)
{
    /* RFC 4514 keeps UTF-8 as it is; OpenSSL would write it as \C3\BC. */
    const unsigned long flags = XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB;
    AUTO(BIO) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    X509_NAME_print_ex(bio, name, 0, flags);
    long len = BIO_get_mem_data(bio, &text);
    ERR_clear_error();
    return len <= 0 ? S("") : str_copy(arena, (str){ text, (size_t)len });
}

str name_of_ia5(struct arena *arena, const ASN1_STRING *string)
{
    return str_copy(arena, (str){ (const char *)ASN1_STRING_get0_data(string),
                                  (size_t)ASN1_STRING_length(string) });
}

str name_of_oid(struct arena *arena, const ASN1_OBJECT *object)
{
    char text[128];
    int len = OBJ_obj2txt(text, sizeof(text), object, 1);
    return len <= 0 || len >= (int)sizeof(text) ? S("an unnamed object")
                                                : str_copy(arena, str_c(text));
}

static str ip_text(struct arena *arena, const ASN1_OCTET_STRING *octets)
{
    const int len = ASN1_STRING_length(octets);
    char text[INET6_ADDRSTRLEN];
    if (len != 4 && len != 16)
        return str_hex(arena, ASN1_STRING_get0_data(octets), (size_t)len);
    inet_ntop(len == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(octets), text, sizeof(text));
    return str_copy(arena, str_c(text));
}

static str tagged(struct arena *arena, const char *tag, str value)
{
    return str_printf(arena, "%s:%.*s", tag, STR_ARG(value));
}

str name_of_general(struct arena *arena, const GENERAL_NAME *name)
{
    switch (name->type) {
    case GEN_DNS:
        return tagged(arena, "DNS", name_of_ia5(arena, name->d.dNSName));
    case GEN_IPADD:
        return tagged(arena, "IP", ip_text(arena, name->d.iPAddress));
    case GEN_URI:
        return tagged(arena, "URI", name_of_ia5(arena, name->d.uniformResourceIdentifier));
    case GEN_EMAIL:
        return tagged(arena, "email", name_of_ia5(arena, name->d.rfc822Name));
    case GEN_DIRNAME:
        return tagged(arena, "DirName", name_of_x500(arena, name->d.directoryName));
    case GEN_RID:
        return tagged(arena, "RID", name_of_oid(arena, name->d.registeredID));
    case GEN_OTHERNAME:
        return tagged(arena, "othername", name_of_oid(arena, name->d.otherName->type_id));
    default: /* x400Address, ediPartyName: never seen, and OpenSSL keeps them opaque */
        return str_printf(arena, "type:%d", name->type);
    }
}

static X509_NAME *decode(str der)
{
    const unsigned char *at = (const unsigned char *)der.ptr;
    X509_NAME *name = d2i_X509_NAME(NULL, &at, (long)der.len);
    ERR_clear_error();
    return name;
}

bool name_equal(str der, str other_der)
{
    if (str_eq(der, other_der))
        return true;
    AUTO(X509_NAME) X509_NAME *name = decode(der);
    AUTO(X509_NAME) X509_NAME *other = decode(other_der);
    return name != NULL && other != NULL && X509_NAME_cmp(name, other) == 0;
}

static bool equal_without_case(str a, str b)
{
    return a.len == b.len && a.len > 0 && strncasecmp(a.ptr, b.ptr, a.len) == 0 &&
           memchr(a.ptr, '\0', a.len) == NULL;
}

bool name_matches(str pattern, str host)
{
    if (equal_without_case(pattern, host))
        return true;
    /* "*.x" at least, and the star stands for one label that is not empty. */
    if (pattern.len < 3 || !str_starts(pattern, S("*.")))
        return false;
    str rest = { pattern.ptr + 1, pattern.len - 1 };
    size_t label = str_find(host, S("."));
    return label > 0 && equal_without_case(rest, (str){ host.ptr + label, host.len - label });
}

str name_ip(char space[NAME_IP_MAX], str text)
{
    unsigned char address[16];
    char copy[NAME_IP_MAX] = { 0 };
    if (text.len == 0 || text.len >= sizeof(copy))
        return S("");
    memcpy(copy, text.ptr, text.len);
    int family = strchr(copy, ':') == NULL ? AF_INET : AF_INET6;
    if (inet_pton(family, copy, address) != 1)
        return S("");
    return str_c(inet_ntop(family, address, space, NAME_IP_MAX));
}
