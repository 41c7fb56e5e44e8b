/* SPDX-License-Identifier: Apache-2.0 */
#include "state/place.h"

#include "base/io.h"

#include <limits.h>
#include <stdlib.h>

static bool usual_place(struct arena *arena, str *ret_dir, struct err *err)
{
    if (geteuid() == 0) {
        *ret_dir = S("/var/lib/reseal");
        return true;
    }
    const char *xdg = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
    /* A relative $XDG_STATE_HOME is to be ignored (XDG Base Directory). */
    if (xdg != NULL && xdg[0] == '/')
        *ret_dir = io_join(arena, str_c(xdg), S("reseal"));
    else if (home != NULL && home[0] == '/')
        *ret_dir = io_join(arena, str_c(home), S(".local/state/reseal"));
    else
        return err_set(err, ERR_USAGE, "no home folder to keep state in: give --state DIR");
    return true;
}

bool state_place(struct arena *arena, const char *given, str *ret_dir, struct err *err)
{
    str dir = str_c(given);
    char real[PATH_MAX];
    if (given != NULL && dir.len == 0)
        return err_set(err, ERR_USAGE, "--state is empty");
    if (given == NULL && !usual_place(arena, &dir, err))
        return false;
    dir = str_copy(arena, dir);
    if (!io_make_dirs(dir.ptr, 0700, err))
        return err_wrap(err, "state folder");
    if (realpath(dir.ptr, real) == NULL)
        return err_errno(err, "state folder %s", dir.ptr);
    *ret_dir = str_copy(arena, str_c(real));
    return true;
}

bool state_node_place(struct arena *arena, const char *given, str name, str *ret_dir,
                      struct err *err)
{
    str dir = str_c(given);
    char here[PATH_MAX];
    if (given == NULL && !usual_place(arena, &dir, err))
        return false;
    if (given == NULL && name.len > 0) {
        if (str_find(name, S("/")) < name.len || str_eq(name, S(".")) || str_eq(name, S("..")))
            return err_set(err, ERR_USAGE, "\"%.*s\" is not a node's name", STR_ARG(name));
        dir = io_join(arena, io_join(arena, dir, S("nodes")), name);
    }
    if (getcwd(here, sizeof(here)) == NULL)
        return err_errno(err, "this folder");
    *ret_dir = io_join(arena, io_join(arena, str_c(here), dir), S("node"));
    return true;
}
