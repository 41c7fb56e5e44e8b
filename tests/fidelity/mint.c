/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mint - certificates and revocation lists to order, good and bad ones.
 *
 * Reads one order a line, tabs between its fields; answers each with one line:
 *
 *     cert ID subject=CN=Root [issuer=ID] [key=P-256|RSA-2048|ED25519|@ID] [digest=SHA256]
 *          [from=SECONDS until=SECONDS] [version=1] [ext=NAME=VALUE]...
 *     -> ID, the certificate and its PKCS#8 key, both DER in base64
 *     crl ID issuer=ID [digest=SHA256] [from=SECONDS until=SECONDS] [revoked=ID]...
 *     -> ID and the list
 *
 * Seconds count from now, the parts of a subject are divided by "/" and an extension is written as
 * in x509v3_config(5). "signer=ID" signs with the key of another than the issuer, "padding=pss"
 * with RSASSA-PSS. RSA keys are taken in turn from a small pool, as making them is what takes long;
 * the others are new ones.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { FIELDS = 32, POOL = 7 };

struct made {
    char *id;
    X509 *cert;
    EVP_PKEY *key;
};
static struct made *all;
static size_t count;
static time_t now;

static void fail(const char *what, const char *value)
{
    fprintf(stderr, "mint: %s: %s\n", what, value == NULL ? "" : value);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static void must(bool good, const char *what, const char *value)
{
    if (!good)
        fail(what, value);
}

struct order {
    char *fields[FIELDS];
    size_t count;
};

/* The value of the next field `key=value` from *at on, or NULL. */
static const char *next(const struct order *order, const char *key, size_t *at)
{
    size_t len = strlen(key);
    while (*at < order->count) {
        const char *field = order->fields[(*at)++];
        if (strncmp(field, key, len) == 0 && field[len] == '=')
            return field + len + 1;
    }
    return NULL;
}

static const char *get(const struct order *order, const char *key, const char *otherwise)
{
    size_t at = 2;
    const char *value = next(order, key, &at);
    return value == NULL ? otherwise : value;
}

static const struct made *find(const char *id)
{
    for (size_t i = count; i > 0; i--)
        if (strcmp(all[i - 1].id, id) == 0)
            return &all[i - 1];
    fail("no such certificate", id);
    return NULL;
}

static EVP_PKEY *new_key(const char *kind)
{
    static struct {
        size_t bits, turn;
        EVP_PKEY *keys[POOL];
    } pools[8];
    if (kind[0] == '@') {
        EVP_PKEY *key = find(kind + 1)->key;
        EVP_PKEY_up_ref(key);
        return key;
    }
    if (strncmp(kind, "RSA-", 4) != 0)
        return kind[0] == 'E' ? EVP_PKEY_Q_keygen(NULL, NULL, kind)
                              : EVP_PKEY_Q_keygen(NULL, NULL, "EC", kind);
    size_t bits = strtoul(kind + 4, NULL, 10), row = 0;
    while (pools[row].bits != 0 && pools[row].bits != bits)
        row++;
    pools[row].bits = bits;
    EVP_PKEY **key = &pools[row].keys[pools[row].turn++ % POOL];
    if (*key == NULL)
        *key = EVP_PKEY_Q_keygen(NULL, NULL, "RSA", bits);
    EVP_PKEY_up_ref(*key);
    return *key;
}

static void set_name(X509_NAME *name, const char *subject)
{
    char *parts = strdup(subject), *rest = parts;
    for (char *part; (part = strsep(&rest, "/")) != NULL;) {
        char *value = strchr(part, '=');
        if (value == NULL)
            continue;
        *value++ = '\0';
        must(X509_NAME_add_entry_by_txt(name, part, MBSTRING_UTF8, (unsigned char *)value, -1, -1,
                                        0) == 1,
             "subject", subject);
    }
    free(parts);
}

static void add_extension(X509 *cert, X509 *issuer, const char *text)
{
    char *name = strdup(text), *value = strchr(name, '=');
    must(value != NULL, "extension", text);
    *value++ = '\0';
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, cert, NULL, NULL, 0);
    X509V3_set_ctx_nodb(&context);
    X509_EXTENSION *ext = X509V3_EXT_conf(NULL, &context, name, value);
    must(ext != NULL && X509_add_ext(cert, ext, -1) == 1, "extension", text);
    X509_EXTENSION_free(ext);
    free(name);
}

static const EVP_MD *digest_for(const struct order *order, const EVP_PKEY *key)
{
    if (EVP_PKEY_is_a(key, "ED25519") || EVP_PKEY_is_a(key, "ED448"))
        return NULL;
    const EVP_MD *digest = EVP_get_digestbyname(get(order, "digest", "SHA256"));
    must(digest != NULL, "digest", get(order, "digest", ""));
    return digest;
}

static ASN1_TIME *when(const struct order *order, const char *key, const char *otherwise)
{
    return ASN1_TIME_set(NULL, now + strtol(get(order, key, otherwise), NULL, 10));
}

static void print_base64(const unsigned char *bytes, int len, char end)
{
    unsigned char *text = malloc((size_t)len * 2 + 4);
    EVP_EncodeBlock(text, bytes, len);
    printf("%s%c", text, end);
    free(text);
}

static void sign(const struct order *order, X509 *cert, EVP_PKEY *key)
{
    if (strcmp(get(order, "padding", ""), "pss") != 0) {
        must(X509_sign(cert, key, digest_for(order, key)) > 0, "cannot sign", order->fields[1]);
        return;
    }
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *padding;
    must(EVP_DigestSignInit(context, &padding, digest_for(order, key), NULL, key) == 1 &&
             EVP_PKEY_CTX_set_rsa_padding(padding, RSA_PKCS1_PSS_PADDING) == 1 &&
             EVP_PKEY_CTX_set_rsa_pss_saltlen(padding, RSA_PSS_SALTLEN_DIGEST) == 1 &&
             X509_sign_ctx(cert, context) > 0,
         "cannot sign", order->fields[1]);
    EVP_MD_CTX_free(context);
}

static void make_cert(const struct order *order)
{
    static long serial = 4096;
    const char *issuer_id = get(order, "issuer", NULL);
    const struct made *issuer = issuer_id == NULL ? NULL : find(issuer_id);
    struct made made = { .id = strdup(order->fields[1]), .cert = X509_new() };
    made.key = new_key(get(order, "key", "P-256"));
    must(made.key != NULL, "key", get(order, "key", ""));
    X509 *by = issuer == NULL ? made.cert : issuer->cert;
    const char *signer = get(order, "signer", issuer_id);
    X509_set_version(made.cert, strcmp(get(order, "version", "3"), "1") == 0 ? X509_VERSION_1
                                                                             : X509_VERSION_3);
    ASN1_INTEGER_set(X509_get_serialNumber(made.cert), serial++);
    X509_set_pubkey(made.cert, made.key);
    ASN1_TIME *from = when(order, "from", "-86400"), *until = when(order, "until", "8640000");
    X509_set1_notBefore(made.cert, from);
    X509_set1_notAfter(made.cert, until);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    set_name(X509_get_subject_name(made.cert), get(order, "subject", ""));
    X509_set_issuer_name(made.cert, X509_get_subject_name(by));
    size_t at = 2;
    for (const char *ext; (ext = next(order, "ext", &at)) != NULL;)
        add_extension(made.cert, by, ext);
    sign(order, made.cert, signer == NULL ? made.key : find(signer)->key);

    all = realloc(all, (count + 1) * sizeof(*all));
    all[count++] = made;
    unsigned char *der = NULL, *key_der = NULL;
    int len = i2d_X509(made.cert, &der);
    PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(made.key);
    int key_len = i2d_PKCS8_PRIV_KEY_INFO(p8, &key_der);
    must(len > 0 && key_len > 0, "cannot encode", made.id);
    printf("%s\t", made.id);
    print_base64(der, len, '\t');
    print_base64(key_der, key_len, '\n');
    PKCS8_PRIV_KEY_INFO_free(p8);
    OPENSSL_free(der);
    OPENSSL_free(key_der);
}

static void revoke(X509_CRL *crl, const char *id)
{
    X509_REVOKED *row = X509_REVOKED_new();
    ASN1_TIME *date = ASN1_TIME_set(NULL, now - 3600);
    X509_REVOKED_set_serialNumber(row, X509_get_serialNumber(find(id)->cert));
    X509_REVOKED_set_revocationDate(row, date);
    X509_CRL_add0_revoked(crl, row);
    ASN1_TIME_free(date);
}

static void make_crl(const struct order *order)
{
    const struct made *issuer = find(get(order, "issuer", ""));
    const struct made *signer = find(get(order, "signer", issuer->id));
    X509_CRL *crl = X509_CRL_new();
    X509_CRL_set_version(crl, X509_CRL_VERSION_2);
    X509_CRL_set_issuer_name(crl, X509_get_subject_name(issuer->cert));
    ASN1_TIME *from = when(order, "from", "-7200"), *until = when(order, "until", "864000");
    X509_CRL_set1_lastUpdate(crl, from);
    X509_CRL_set1_nextUpdate(crl, until);
    ASN1_TIME_free(from);
    ASN1_TIME_free(until);
    size_t at = 2;
    for (const char *id; (id = next(order, "revoked", &at)) != NULL;)
        revoke(crl, id);
    /* NSS takes a list only with a number. */
    ASN1_INTEGER *number = ASN1_INTEGER_new();
    ASN1_INTEGER_set(number, 1);
    X509_CRL_add1_ext_i2d(crl, NID_crl_number, number, 0, 0);
    ASN1_INTEGER_free(number);
    X509_CRL_sort(crl);
    must(X509_CRL_sign(crl, signer->key, digest_for(order, signer->key)) > 0, "cannot sign",
         order->fields[1]);
    unsigned char *der = NULL;
    int len = i2d_X509_CRL(crl, &der);
    printf("%s\t", order->fields[1]);
    print_base64(der, len, '\n');
    OPENSSL_free(der);
    X509_CRL_free(crl);
}

int main(void)
{
    char *line = NULL;
    size_t size = 0;
    now = time(NULL);
    while (getline(&line, &size, stdin) > 0) {
        struct order order = { .count = 0 };
        line[strcspn(line, "\n")] = '\0';
        for (char *rest = line, *field; (field = strsep(&rest, "\t")) != NULL;) {
            must(order.count < FIELDS, "too many fields", line);
            order.fields[order.count++] = field;
        }
        must(order.count >= 2, "no order", line);
        if (strcmp(order.fields[0], "cert") == 0)
            make_cert(&order);
        else if (strcmp(order.fields[0], "crl") == 0)
            make_crl(&order);
        else
            fail("no such order", order.fields[0]);
    }
    for (size_t i = 0; i < count; i++) {
        X509_free(all[i].cert);
        EVP_PKEY_free(all[i].key);
        free(all[i].id);
    }
    free(all);
    free(line);
    return 0;
}
