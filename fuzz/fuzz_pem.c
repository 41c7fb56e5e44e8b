/* SPDX-License-Identifier: Apache-2.0 */
/* Covers src/store */
/*
 * Hostile bytes as a store of any format: in memory, and as the files of an identity. Bytes that
 * end with the line "open sesame" are read with that password.
 */
#include "store/identity.h"
#include "store/key.h"
#include "x509/auto.h"

#include <assert.h>
#include <stdio.h>

#include <sys/mman.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A file in memory that holds the input; two of its paths, which are not the same text. */
struct file {
    int fd;
    char path[32], other[48];
};

static bool open_file(str bytes, struct file *file)
{
    file->fd = memfd_create("fuzz", MFD_CLOEXEC);
    if (file->fd < 0)
        return false;
    (void)snprintf(file->path, sizeof(file->path), "/proc/self/fd/%d", file->fd);
    (void)snprintf(file->other, sizeof(file->other), "/proc/self/fd/../fd/%d", file->fd);
    return write(file->fd, bytes.ptr, bytes.len) == (ssize_t)bytes.len;
}

static void read_files(struct arena *arena, const struct file *file, size_t size,
                       const struct store_options *options)
{
    AUTO(err) struct err err = { 0 };
    AUTO(EVP_PKEY) EVP_PKEY *key = NULL;
    struct store_identity identity;
    bool opened = key_load(file->path, options->password, &key, &err);
    assert(opened == (key != NULL) && opened == (err.kind == ERR_NONE));
    /* OpenSSL takes milliseconds to tell that bytes are no key: one pair for each input, and with
       no password. */
    const char *keys[] = { file->path, file->other, "/nowhere" };
    struct store_options locked = *options;
    locked.password = (str){ 0 };
    if (store_identity_read(arena, file->path, keys[size % COUNT(keys)], &locked, &identity, &err))
        assert(!identity.matches || identity.chain.count > 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const str sesame = { "\nopen sesame\n", 13 };
    AUTO(arena) struct arena arena = { 0 };
    struct store_options options = { .now = 1795478400, .renew_before = 30 * 86400 };
    struct store store;
    struct file file;
    str bytes = { (const char *)data, size };
    if (str_ends(bytes, sesame)) {
        options.password = str_trim(sesame);
        bytes.len -= sesame.len;
    }
    store_parse(&arena, S("fuzz"), bytes, &options, &store);
    if (open_file(bytes, &file))
        read_files(&arena, &file, size, &options);
    close(file.fd);
    return 0;
}
