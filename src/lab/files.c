/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/files.h"

#include "base/io.h"
#include "lab/config.h"

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

bool lab_write(const struct lab *lab, str path, str bytes, enum lab_owner owner, struct err *err)
{
    return io_replace(path.ptr, bytes, owner_of(lab, owner, 0600), err);
}

static bool write_identity(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                           const struct lab_leaf *leaf, str stem, struct err *err)
{
    AUTO(arena) struct arena secret = { .wipe = true };
    enum lab_owner owner = str_eq(leaf->common_name, S("app")) ? LAB_OURS : LAB_SERVERS;
    str cert;
    str key;
    return lab_ca_issue(&secret, ca, leaf, &cert, &key, err) &&
           lab_write(lab, str_printf(arena, "%.*s.key", STR_ARG(stem)), key, owner, err) &&
           lab_write(lab, str_printf(arena, "%.*s.crt", STR_ARG(stem)), cert, owner, err);
}

static bool write_node_identities(struct arena *arena, const struct lab *lab,
                                  const struct lab_ca *ca, size_t node, enum lab_state age,
                                  struct err *err)
{
    const struct lab_node *at = &lab->nodes[node];
    moment now = clock_now();
    str name = str_printf(arena, "%s.lab.example", at->name.ptr);
    struct lab_leaf server = { name, name, now + ages[age].from, now + ages[age].until };
    struct lab_leaf client = { S("postgres"), S(""), server.not_before, server.not_after };
    return write_identity(arena, lab, ca, &server, str_printf(arena, "%s/tls/server", at->home.ptr),
                          err) &&
           write_identity(arena, lab, ca, &client, str_printf(arena, "%s/tls/client", at->home.ptr),
                          err);
}

bool lab_files_renew(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                     size_t node, struct err *err)
{
    return write_node_identities(arena, lab, ca, node, LAB_HEALTHY, err);
}

static bool make_node(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                      size_t node, str anchor, struct err *err)
{
    const struct lab_node *at = &lab->nodes[node];
    str tls = str_printf(arena, "%s/tls", at->home.ptr);
    return lab_make_dir(lab, at->home, 0755, LAB_SERVERS, err) &&
           lab_make_dir(lab, at->data, 0700, LAB_SERVERS, err) &&
           lab_make_dir(lab, at->socket, 0700, LAB_SERVERS, err) &&
           lab_make_dir(lab, tls, 0700, LAB_SERVERS, err) &&
           lab_write(lab, str_printf(arena, "%s/ca.crt", tls.ptr), anchor, LAB_SERVERS, err) &&
           write_node_identities(arena, lab, ca, node, lab->state, err);
}

static bool make_app(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                     str anchor, struct err *err)
{
    moment now = clock_now();
    str home = io_join(arena, lab->dir, S("app"));
    str tls = str_printf(arena, "%s/tls", home.ptr);
    struct lab_leaf client = { S("app"), S(""), now + ages[lab->state].from,
                               now + ages[lab->state].until };
    return lab_make_dir(lab, home, 0700, LAB_OURS, err) &&
           lab_make_dir(lab, tls, 0700, LAB_OURS, err) &&
           lab_write(lab, str_printf(arena, "%s/ca.crt", tls.ptr), anchor, LAB_OURS, err) &&
           write_identity(arena, lab, ca, &client, str_printf(arena, "%s/client", tls.ptr), err);
}

static bool make_ca(struct arena *arena, const struct lab *lab, const struct lab_ca_files *files,
                    struct err *err)
{
    str home = io_join(arena, lab->dir, S("ca"));
    return lab_make_dir(lab, home, 0700, LAB_OURS, err) &&
           lab_write(lab, str_printf(arena, "%s/ca.pem", home.ptr), files->certificate, LAB_OURS,
                     err) &&
           lab_write(lab, str_printf(arena, "%s/ca.key", home.ptr), files->key, LAB_OURS, err) &&
           lab_write(lab, str_printf(arena, "%s/pass", home.ptr), files->passphrase, LAB_OURS, err);
}

bool lab_files_make(struct arena *arena, const struct lab *lab, const struct lab_ca *ca,
                    struct err *err)
{
    AUTO(arena) struct arena secret = { .wipe = true };
    struct lab_ca_files files;
    if (!lab_ca_export(&secret, ca, &files, err) || !make_ca(arena, lab, &files, err) ||
        !make_app(arena, lab, ca, files.certificate, err))
        return false;
    for (size_t i = 0; i < lab->count; i++)
        if (!make_node(arena, lab, ca, i, files.certificate, err))
            return false;
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
