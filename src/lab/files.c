/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/files.h"

#include "base/io.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>

enum { DAY = 86400, MINUTE = 60, OPEN_FILES = 32 };

/* How old the certificates are that a state begins with, and how long they have left. */
static const struct {
    moment from, until; /* relative to now */
} ages[LAB_STATE_COUNT] = {
    [LAB_HEALTHY] = {-5 * MINUTE, 90 * DAY},
    [LAB_EXPIRING] = { -80 * DAY,  10 * DAY},
    [LAB_EXPIRED] = { -91 * DAY,  -1 * DAY},
    [LAB_HALF_RENEWED] = { -80 * DAY,  10 * DAY},
};

static struct io_owner owner_of(const struct lab *lab, enum lab_owner owner, mode_t mode)
{
    if (owner == LAB_OURS || !lab->user.change)
        return (struct io_owner){ (uid_t)-1, (gid_t)-1, mode };
    return (struct io_owner){ lab->user.uid, lab->user.gid, mode };
}

bool lab_make_dir(const struct lab *lab, str path, mode_t mode, enum lab_owner owner,
                  struct err *err)
{
    struct io_owner to = owner_of(lab, owner, mode);
    if (mkdir(path.ptr, 0700) < 0 || chmod(path.ptr, mode) < 0 ||
        lchown(path.ptr, to.uid, to.gid) < 0)
        return err_errno(err, "%s", path.ptr);
    return true;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

/* Symbolic links are removed, never followed. */
static bool remove_tree(str path, struct err *err)
{
    if (nftw(path.ptr, remove_one, OPEN_FILES, FTW_DEPTH | FTW_PHYS) != 0 && errno != ENOENT)
        return err_errno(err, "remove %s", path.ptr);
    return true;
}

bool lab_make_empty_dir(const struct lab *lab, str path, mode_t mode, enum lab_owner owner,
                        struct err *err)
{
    return remove_tree(path, err) && lab_make_dir(lab, path, mode, owner, err);
}

bool lab_write(const struct lab *lab, str path, str bytes, enum lab_owner owner, struct err *err)
{
    return io_replace(path.ptr, bytes, owner_of(lab, owner, 0600), err);
}

bool lab_write_identity(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                        const struct lab_leaf *leaf, str stem, enum lab_owner owner,
                        struct err *err)
{
    AUTO(arena) struct arena secret = { .wipe = true };
    str cert;
    str key;
    return lab_ca_issue(&secret, ca, leaf, &cert, &key, err) &&
           lab_write(lab, str_printf(arena, "%.*s.key", STR_ARG(stem)), key, owner, err) &&
           lab_write(lab, str_printf(arena, "%.*s.crt", STR_ARG(stem)), cert, owner, err);
}

bool lab_write_bundle(const struct lab *lab, const struct lab_ca *ca, const struct lab_leaf *leaf,
                      str path, enum lab_owner owner, struct err *err)
{
    AUTO(arena) struct arena secret = { .wipe = true };
    str cert;
    str key;
    return lab_ca_issue(&secret, ca, leaf, &cert, &key, err) &&
           lab_write(lab, path, str_printf(&secret, "%.*s%.*s", STR_ARG(cert), STR_ARG(key)), owner,
                     err);
}

void lab_leaf_date(struct lab_leaf *leaf, enum lab_state state)
{
    moment now = clock_now();
    leaf->not_before = now + ages[state].from;
    leaf->not_after = now + ages[state].until;
}

bool lab_make_node(struct arena *arena, const struct lab *lab, size_t node, str anchor,
                   struct err *err)
{
    const struct lab_node *at = &lab->nodes[node];
    str tls = str_printf(arena, "%s/tls", at->home.ptr);
    return lab_make_dir(lab, at->home, 0755, LAB_SERVERS, err) &&
           lab_make_dir(lab, at->data, 0700, LAB_SERVERS, err) &&
           (at->socket.len == 0 || lab_make_dir(lab, at->socket, 0700, LAB_SERVERS, err)) &&
           lab_make_dir(lab, tls, 0700, LAB_SERVERS, err) &&
           lab_write(lab, str_printf(arena, "%s/ca.crt", tls.ptr), anchor, LAB_SERVERS, err);
}

bool lab_make_app(struct arena *arena, const struct lab *lab, const struct lab_ca *ca, str anchor,
                  struct err *err)
{
    str home = io_join(arena, lab->dir, S("app"));
    str tls = str_printf(arena, "%s/tls", home.ptr);
    struct lab_leaf client = { .common_name = S("app") };
    lab_leaf_date(&client, lab->state);
    return lab_make_dir(lab, home, 0700, LAB_OURS, err) &&
           lab_make_dir(lab, tls, 0700, LAB_OURS, err) &&
           lab_write(lab, str_printf(arena, "%s/ca.crt", tls.ptr), anchor, LAB_OURS, err) &&
           lab_write_identity(arena, lab, ca, &client, str_printf(arena, "%s/client", tls.ptr),
                              LAB_OURS, err);
}

bool lab_make_ca(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                 str *ret_anchor, struct err *err)
{
    AUTO(arena) struct arena secret = { .wipe = true };
    struct lab_ca_files files;
    str home = io_join(arena, lab->dir, S("ca"));
    if (!lab_ca_export(&secret, ca, &files, err) || !lab_make_dir(lab, home, 0700, LAB_OURS, err) ||
        !lab_write(lab, str_printf(arena, "%s/ca.pem", home.ptr), files.certificate, LAB_OURS,
                   err) ||
        !lab_write(lab, str_printf(arena, "%s/ca.key", home.ptr), files.key, LAB_OURS, err) ||
        !lab_write(lab, str_printf(arena, "%s/pass", home.ptr), files.passphrase, LAB_OURS, err))
        return false;
    *ret_anchor = str_copy(arena, files.certificate);
    return true;
}

bool lab_files_remove(struct arena *arena, const struct lab *lab, struct err *err)
{
    static const char *const ours[] = { "ca", "app", "reseal", "cluster.yaml", "lab.json" };
    for (size_t i = 0; i < lab->count; i++)
        if (!remove_tree(lab->nodes[i].home, err))
            return false;
    if (lab->sockets.len > 0 && !remove_tree(lab->sockets, err))
        return false;
    /* The record goes last: until then `down` can be said again. */
    for (size_t i = 0; i < COUNT(ours); i++)
        if (!remove_tree(io_join(arena, lab->dir, str_c(ours[i])), err))
            return false;
    if (rmdir(lab->dir.ptr) < 0 && errno != ENOTEMPTY && errno != EEXIST)
        return err_errno(err, "remove %s", lab->dir.ptr);
    return true;
}
