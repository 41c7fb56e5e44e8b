/* SPDX-License-Identifier: Apache-2.0 */
#include "x509/cert.h"

#include "x509/auto.h"
#include "x509/name.h"
#include "x509/recent.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <time.h>

DEFINE_AUTO(GENERAL_NAMES, GENERAL_NAMES *, GENERAL_NAMES_free(*handle))
DEFINE_AUTO(EXTENDED_KEY_USAGE, EXTENDED_KEY_USAGE *, EXTENDED_KEY_USAGE_free(*handle))
DEFINE_AUTO(BIGNUM, BIGNUM *, BN_free(*handle))

// clang-format off
static const struct {
    uint32_t bit;
    const char *name;
} key_usages[] = {
    { KU_DIGITAL_SIGNATURE, "digitalSignature" },
    { KU_NON_REPUDIATION,   "nonRepudiation" },
    { KU_KEY_ENCIPHERMENT,  "keyEncipherment" },
    { KU_DATA_ENCIPHERMENT, "dataEncipherment" },
    { KU_KEY_AGREEMENT,     "keyAgreement" },
    { KU_KEY_CERT_SIGN,     "keyCertSign" },
    { KU_CRL_SIGN,          "cRLSign" },
    { KU_ENCIPHER_ONLY,     "encipherOnly" },
    { KU_DECIPHER_ONLY,     "decipherOnly" },
};
// clang-format on

str sha256_hex(struct arena *arena, str bytes)
{
    unsigned char digest[SHA256_DIGEST_LENGTH];
    SHA256((const unsigned char *)bytes.ptr, bytes.len, digest);
    return str_hex(arena, digest, sizeof(digest));
}

/* What an i2d function made, copied; frees it. */
static str take_der(struct arena *arena, unsigned char *made, int len)
{
    AUTO(openssl_bytes) unsigned char *der = made;
    return len <= 0 ? (str){ 0 } : str_copy(arena, (str){ (const char *)der, (size_t)len });
}

static str name_der(struct arena *arena, const X509_NAME *name)
{
    unsigned char *der = NULL;
    int len = i2d_X509_NAME(name, &der);
    return take_der(arena, der, len);
}

static str octets_hex(struct arena *arena, const ASN1_OCTET_STRING *octets)
{
    if (octets == NULL)
        return S("");
    return str_hex(arena, ASN1_STRING_get0_data(octets), (size_t)ASN1_STRING_length(octets));
}

static str last_common_name(struct arena *arena, const X509_NAME *subject)
{
    str found = S("");
    for (int at = -1; (at = X509_NAME_get_index_by_NID(subject, NID_commonName, at)) >= 0;) {
        AUTO(openssl_bytes) unsigned char *utf8 = NULL;
        int len =
            ASN1_STRING_to_UTF8(&utf8, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
        if (len >= 0)
            found = str_copy(arena, (str){ (const char *)utf8, (size_t)len });
    }
    return found;
}

static bool read_time(const ASN1_TIME *from, const char *what, moment *ret_at, struct err *err)
{
    struct tm tm = { 0 };
    if (ASN1_TIME_to_tm(from, &tm) != 1)
        return err_set(err, ERR_FORMAT, "%s is not a time", what);
    *ret_at = timegm(&tm);
    return true;
}

static str serial_hex(struct arena *arena, const ASN1_INTEGER *serial)
{
    AUTO(BIGNUM) BIGNUM *number = ASN1_INTEGER_to_BN(serial, NULL);
    unsigned char bytes[128];
    if (number == NULL || BN_num_bytes(number) > (int)sizeof(bytes))
        return S("");
    int len = BN_bn2bin(number, bytes);
    str hex = len == 0 ? S("00") : str_hex(arena, bytes, (size_t)len);
    return BN_is_negative(number) ? str_printf(arena, "-%.*s", STR_ARG(hex)) : hex;
}

static str algorithm_name(struct arena *arena, const ASN1_OBJECT *object)
{
    int nid = OBJ_obj2nid(object);
    return nid == NID_undef ? name_of_oid(arena, object) : str_c(OBJ_nid2ln(nid));
}

static bool read_key(struct arena *arena, X509 *x509, struct cert *cert, struct err *err)
{
    X509_PUBKEY *spki = X509_get_X509_PUBKEY(x509);
    unsigned char *der = NULL;
    int len = i2d_X509_PUBKEY(spki, &der);
    str bytes = take_der(arena, der, len);
    ASN1_OBJECT *algorithm = NULL;
    if (bytes.len == 0 || !X509_PUBKEY_get0_param(&algorithm, NULL, NULL, NULL, spki))
        return err_set(err, ERR_FORMAT, "public key cannot be encoded");
    cert->spki_sha256 = sha256_hex(arena, bytes);
    EVP_PKEY *key = X509_get0_pubkey(x509);
    /* A key that OpenSSL does not know (a post-quantum one, say) is still inventoried. */
    cert->key_type = key == NULL ? algorithm_name(arena, algorithm)
                                 : str_copy(arena, str_c(EVP_PKEY_get0_type_name(key)));
    cert->key_bits = key == NULL ? 0 : EVP_PKEY_get_bits(key);
    return true;
}

/* An extension that is there twice or cannot be decoded makes the certificate malformed. */
static bool ext_broken(const void *decoded, int critical, const char *name, struct err *err)
{
    if (decoded != NULL || critical == -1)
        return false;
    err_set(err, ERR_FORMAT, critical == -2 ? "%s is there twice" : "%s cannot be decoded", name);
    return true;
}

static bool read_names(struct arena *arena, X509 *x509, struct cert *cert, struct err *err)
{
    int critical = -1;
    AUTO(GENERAL_NAMES)
    GENERAL_NAMES *names = X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, NULL);
    if (ext_broken(names, critical, "subjectAltName", err))
        return false;
    for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
        list_push(arena, &cert->san) = name_of_general(arena, name);
        if (name->type == GEN_DNS)
            list_push(arena, &cert->dns) = name_of_ia5(arena, name->d.dNSName);
    }
    return true;
}

static bool read_usages(struct arena *arena, X509 *x509, struct cert *cert, struct err *err)
{
    uint32_t flags = X509_get_extension_flags(x509);
    cert->has_key_usage = (flags & EXFLAG_KUSAGE) != 0;
    cert->key_usage = cert->has_key_usage ? X509_get_key_usage(x509) : 0;
    for (size_t i = 0; i < COUNT(key_usages); i++)
        if ((cert->key_usage & key_usages[i].bit) != 0)
            list_push(arena, &cert->key_usages) = str_c(key_usages[i].name);
    int critical = -1;
    AUTO(EXTENDED_KEY_USAGE)
    EXTENDED_KEY_USAGE *purposes = X509_get_ext_d2i(x509, NID_ext_key_usage, &critical, NULL);
    if (ext_broken(purposes, critical, "extendedKeyUsage", err))
        return false;
    cert->has_extended_key_usage = purposes != NULL;
    for (int i = 0; purposes != NULL && i < sk_ASN1_OBJECT_num(purposes); i++) {
        const ASN1_OBJECT *purpose = sk_ASN1_OBJECT_value(purposes, i);
        int nid = OBJ_obj2nid(purpose);
        list_push(arena, &cert->extended_key_usage) =
            nid == NID_undef ? name_of_oid(arena, purpose) : str_c(OBJ_nid2sn(nid));
    }
    return true;
}

static void read_constraints(struct arena *arena, X509 *x509, struct cert *cert)
{
    const uint32_t v1_root = EXFLAG_V1 | EXFLAG_SS;
    uint32_t flags = X509_get_extension_flags(x509);
    cert->ca = (flags & EXFLAG_CA) != 0 || (flags & v1_root) == v1_root;
    cert->path_length = (int)X509_get_pathlen(x509);
    cert->self_issued = (flags & EXFLAG_SI) != 0;
    cert->critical_unknown = (flags & EXFLAG_CRITICAL) != 0;
    cert->has_name_constraints = X509_get_ext_by_NID(x509, NID_name_constraints, -1) >= 0;
    cert->version = (int)X509_get_version(x509) + 1;
    cert->subject_key_id = octets_hex(arena, X509_get0_subject_key_id(x509));
    cert->authority_key_id = octets_hex(arena, X509_get0_authority_key_id(x509));
}

static bool read_facts(struct arena *arena, X509 *x509, str der, struct cert *ret_cert,
                       struct err *err)
{
    const X509_NAME *subject = X509_get_subject_name(x509), *issuer = X509_get_issuer_name(x509);
    struct cert cert = {
        .der = der,
        .sha256 = sha256_hex(arena, der),
        .subject = name_of_x500(arena, subject),
        .issuer = name_of_x500(arena, issuer),
        .subject_der = name_der(arena, subject),
        .issuer_der = name_der(arena, issuer),
        .common_name = last_common_name(arena, subject),
        .serial = serial_hex(arena, X509_get0_serialNumber(x509)),
        .signature_algorithm = algorithm_name(arena, X509_get0_tbs_sigalg(x509)->algorithm),
    };
    if (!read_time(X509_get0_notBefore(x509), "notBefore", &cert.not_before, err) ||
        !read_time(X509_get0_notAfter(x509), "notAfter", &cert.not_after, err) ||
        !read_key(arena, x509, &cert, err) || !read_names(arena, x509, &cert, err) ||
        !read_usages(arena, x509, &cert, err))
        return false;
    read_constraints(arena, x509, &cert);
    *ret_cert = cert;
    return true;
}

bool cert_parse(struct arena *arena, str der, struct cert *ret_cert, struct err *err)
{
    AUTO(X509) X509 *x509 = recent_x509(der);
    if (x509 == NULL)
        return err_set(err, ERR_FORMAT, "not one DER certificate");
    bool ok = read_facts(arena, x509, str_copy(arena, der), ret_cert, err);
    ERR_clear_error();
    return ok;
}

bool cert_of_x509(struct arena *arena, X509 *x509, struct cert *ret_cert, struct err *err)
{
    unsigned char *made = NULL;
    int len = i2d_X509(x509, &made);
    str der = take_der(arena, made, len);
    if (der.len == 0)
        return err_set(err, ERR_CRYPTO, "certificate cannot be encoded");
    bool ok = read_facts(arena, x509, der, ret_cert, err);
    ERR_clear_error();
    return ok;
}

X509 *cert_x509(const struct cert *cert)
{
    return recent_x509(cert->der);
}

bool cert_signed_by(const struct cert *cert, const struct cert *issuer)
{
    AUTO(X509) X509 *signed_one = cert_x509(cert);
    AUTO(X509) X509 *signer = cert_x509(issuer);
    EVP_PKEY *key = signer == NULL ? NULL : X509_get0_pubkey(signer);
    bool good = signed_one != NULL && key != NULL && X509_verify(signed_one, key) == 1;
    ERR_clear_error();
    return good;
}

bool cert_names_issuer(const struct cert *cert, const struct cert *issuer)
{
    if (!name_equal(cert->issuer_der, issuer->subject_der))
        return false;
    return cert->authority_key_id.len == 0 || issuer->subject_key_id.len == 0 ||
           str_eq(cert->authority_key_id, issuer->subject_key_id);
}

bool cert_matches_name(const struct cert *cert, str name)
{
    str ip = name_ip((char[NAME_IP_MAX]){ 0 }, name);
    bool use_common_name = true;
    for (size_t i = 0; i < cert->san.count; i++) {
        str entry = cert->san.items[i];
        bool is_ip = str_starts(entry, S("IP:"));
        /* An entry of the dialled name's own kind ends the fall-back to the CN. */
        if (is_ip ? ip.len > 0 : ip.len == 0 && str_starts(entry, S("DNS:")))
            use_common_name = false;
        if (is_ip && ip.len > 0 && str_eq((str){ entry.ptr + 3, entry.len - 3 }, ip))
            return true;
    }
    for (size_t i = 0; i < cert->dns.count; i++)
        if (name_matches(cert->dns.items[i], name))
            return true;
    return use_common_name && name_matches(cert->common_name, name);
}

str cert_label(struct arena *arena, const struct cert *cert)
{
    str name = cert->common_name.len > 0 ? str_printf(arena, "CN=%.*s", STR_ARG(cert->common_name))
                                         : cert->subject;
    if (name.len == 0)
        name = cert->san.count > 0 ? cert->san.items[0] : S("a certificate without names");
    return str_printf(arena, "%.*s (sha256:%.8s, until %.10s)", STR_ARG(name), cert->sha256.ptr,
                      clock_format(arena, cert->not_after).ptr);
}

str cert_pem(struct arena *arena, const struct cert *cert)
{
    AUTO(BIO) BIO *bio = BIO_new(BIO_s_mem());
    char *text = NULL;
    PEM_write_bio(bio, PEM_STRING_X509, "", (const unsigned char *)cert->der.ptr,
                  (long)cert->der.len);
    long len = BIO_get_mem_data(bio, &text);
    return str_copy(arena, (str){ text, (size_t)len });
}

bool key_spki_sha256(struct arena *arena, EVP_PKEY *key, str *ret_hex, struct err *err)
{
    unsigned char *made = NULL;
    int len = i2d_PUBKEY(key, &made);
    str der = take_der(arena, made, len);
    ERR_clear_error();
    if (der.len == 0)
        return err_set(err, ERR_CRYPTO, "public key cannot be encoded");
    *ret_hex = sha256_hex(arena, der);
    return true;
}
