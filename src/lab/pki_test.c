/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/pki.h"

#include "tests/test.h"
#include "x509/cert.h"

#include <openssl/pem.h>

static struct cert parse(struct arena *arena, str pem)
{
    AUTO(err) struct err err = { 0 };
    struct cert cert;
    AUTO(BIO) BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    AUTO(X509) X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    check(x509 != NULL);
    check_ok(cert_of_x509(arena, x509, &cert, &err), &err);
    return cert;
}

TEST(the_roots_key_opens_with_its_passphrase_alone_and_signs_what_is_issued)
{
    AUTO(arena) struct arena arena = { .wipe = true };
    AUTO(err) struct err err = { 0 };
    AUTO(lab_ca) struct lab_ca ca = { 0 };
    struct lab_ca_files files;
    str pem;
    str key;
    check_ok(lab_ca_make(&ca, &err), &err);
    check_ok(lab_ca_export(&arena, &ca, &files, &err), &err);
    check(str_starts(files.key, S("-----BEGIN ENCRYPTED PRIVATE KEY-----")));
    str pass = str_copy(&arena, str_trim(files.passphrase));
    AUTO(BIO) BIO *right = BIO_new_mem_buf(files.key.ptr, (int)files.key.len);
    AUTO(BIO) BIO *wrong = BIO_new_mem_buf(files.key.ptr, (int)files.key.len);
    AUTO(EVP_PKEY)
    EVP_PKEY *opened = PEM_read_bio_PrivateKey(right, NULL, NULL, (void *)(uintptr_t)pass.ptr);
    AUTO(EVP_PKEY) EVP_PKEY *refused = PEM_read_bio_PrivateKey(wrong, NULL, NULL, (void *)"no");
    check(opened != NULL && EVP_PKEY_eq(opened, ca.key) == 1 && refused == NULL);
    struct lab_leaf leaf = { S("db1.lab.example"), S("db1.lab.example"), 1000000000, 1100000000 };
    check_ok(lab_ca_issue(&arena, &ca, &leaf, &pem, &key, &err), &err);
    struct cert root = parse(&arena, files.certificate);
    struct cert cert = parse(&arena, pem);
    check(cert_signed_by(&cert, &root) && cert_matches_name(&cert, S("db1.lab.example")));
    check(cert.not_before == 1000000000 && cert.not_after == 1100000000);
}
