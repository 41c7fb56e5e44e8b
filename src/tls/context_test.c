/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/context.h"

#include "base/io.h"
#include "tests/pki.h"
#include "tests/test.h"
#include "x509/auto.h"

#include <stdlib.h>
#include <unistd.h>

TEST(an_identity_is_presented_as_it_is_and_a_foreign_key_is_refused)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct pki root = pki_make(&arena, &(struct pki_spec){ .name = "Root", .ca = true });
    struct pki leaf = pki_make(&arena, &(struct pki_spec){ .name = "db1", .issuer = &root });
    char path[] = "/tmp/reseal-test-XXXXXX";
    AUTO(fd) int fd = mkstemp(path);
    check_ok(io_write_all(fd, leaf.key_pem, &err), &err);
    struct probe_request request = { .trust_pem = root.pem, .key_path = str_c(path) };
    request.certificate_pem = str_printf(&arena, "%s%s", leaf.pem.ptr, root.pem.ptr);
    AUTO(SSL_CTX) SSL_CTX *context = NULL;
    SSL_CTX *other = NULL;
    context_anchors anchors;
    check_ok(context_make(&arena, &request, &context, &anchors, &err), &err);
    check_int(anchors.count, 1);
    STACK_OF(X509) *chain = NULL;
    SSL_CTX_get0_chain_certs(context, &chain);
    check_int(sk_X509_num(chain), 1);
    check((SSL_CTX_get_mode(context) & SSL_MODE_NO_AUTO_CHAIN) != 0);
    request.certificate_pem = root.pem;
    check_err(context_make(&arena, &request, &other, &anchors, &err), &err,
              "client key: key values mismatch");
    err_clear(&err);
    request.certificate_pem = S("no PEM");
    check(!context_make(&arena, &request, &other, &anchors, &err) && other == NULL);
    unlink(path);
}
