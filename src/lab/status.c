/* SPDX-License-Identifier: Apache-2.0 */
#include "base/io.h"
#include "lab/kind.h"
#include "lab/record.h"
#include "lab/server.h"
#include "system/generic/words.h"
#include "x509/auto.h"
#include "x509/cert.h"

#include <openssl/pem.h>

enum { PEM_MAX = 64 * 1024, SETTINGS_MAX = 64 * 1024 };

static bool read_certificate(struct arena *arena, str path, struct lab_file *ret_file,
                             struct err *err)
{
    str pem;
    struct cert cert;
    if (!io_read(arena, path.ptr, PEM_MAX, &pem, err))
        return false;
    AUTO(BIO) BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    AUTO(X509) X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    if (x509 == NULL)
        return err_set(err, ERR_FORMAT, "%s: no certificate", path.ptr);
    if (!cert_of_x509(arena, x509, &cert, err))
        return err_wrap(err, "%s", path.ptr);
    *ret_file = (struct lab_file){ path, cert.subject, cert.not_before, cert.not_after };
    return true;
}

bool lab_add_file(struct arena *arena, str path, lab_file_list *files, struct err *err)
{
    struct lab_file file;
    path = str_copy(arena, path);
    if (path.len == 0 || access(path.ptr, F_OK) != 0)
        return true;
    if (!read_certificate(arena, path, &file, err))
        return false;
    list_push(arena, files) = file;
    return true;
}

bool lab_add_named(struct arena *arena, str settings, str path, lab_file_list *files,
                   struct err *err)
{
    AUTO(err) struct err unread = { 0 };
    str text, named;
    if (!io_read(arena, settings.ptr, SETTINGS_MAX, &text, &unread) ||
        !words_find(arena, settings, text, path, &named, &unread))
        return true;
    return lab_add_file(arena, named, files, err);
}

bool lab_status(struct arena *arena, str dir, struct lab_status *ret_status, struct err *err)
{
    struct lab_status status = { 0 };
    struct lab *lab = &status.lab;
    if (!lab_record_read(arena, dir, lab, err))
        return false;
    for (size_t i = 0; i < lab->count; i++) {
        lab->nodes[i].server = lab_server_of(arena, lab, i);
        status.nodes[i].running = lab->nodes[i].server.pid > 0;
        if (status.nodes[i].running)
            lab->kind->ask(arena, lab, i, &status.nodes[i]);
        if (!lab->kind->node_files(arena, lab, i, &status.nodes[i].certificates, err))
            return false;
    }
    if (!lab->kind->client_files(arena, lab, &status.app, err))
        return false;
    *ret_status = status;
    return true;
}
