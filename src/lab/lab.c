/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/lab.h"

#include "base/io.h"
#include "cluster/cluster.h"
#include "lab/files.h"
#include "lab/kind.h"
#include "lab/record.h"
#include "lab/server.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <fcntl.h>
#include <sys/un.h>
#include <sys/wait.h>

bool lab_default_dir(struct arena *arena, const struct lab_kind *kind, str *ret_dir,
                     struct err *err)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (geteuid() == 0)
        *ret_dir = str_printf(arena, "/var/lib/reseal-lab/%s", kind->name);
    else if (state != NULL && state[0] == '/')
        *ret_dir = str_printf(arena, "%s/reseal/lab/%s", state, kind->name);
    else if (home != NULL && home[0] == '/')
        *ret_dir = str_printf(arena, "%s/.local/state/reseal/lab/%s", home, kind->name);
    else
        return err_set(err, ERR_USAGE, "neither XDG_STATE_HOME nor HOME says where the lab goes");
    return true;
}

static bool is_lab(str dir)
{
    AUTO(arena) struct arena arena = { 0 };
    return access(str_printf(&arena, "%s/lab.json", dir.ptr).ptr, F_OK) == 0;
}

bool lab_only_dir(struct arena *arena, const char *program, str *ret_dir, struct err *err)
{
    str found = S("");
    str first = S("");
    for (size_t i = 0; lab_kinds[i] != NULL; i++) {
        str dir;
        if (!lab_default_dir(arena, lab_kinds[i], &dir, err))
            return false;
        first = i == 0 ? dir : first;
        if (!is_lab(dir))
            continue;
        if (found.len > 0) {
            err_set(err, ERR_REFUSED, "there are labs in %s and in %s", found.ptr, dir.ptr);
            return err_next(err, "%s lab status --dir '%s'", program, found.ptr);
        }
        found = dir;
    }
    *ret_dir = found;
    if (found.len > 0)
        return true;
    err_set(err, ERR_REFUSED, "there is no lab in %s", first.ptr);
    return err_next(err, "%s lab up %s", program, lab_kinds[0]->name);
}

static bool dir_is_empty(const char *path)
{
    size_t count = 0;
    DIR *dir = opendir(path);
    while (dir != NULL && readdir(dir) != NULL)
        count++;
    if (dir != NULL)
        closedir(dir);
    return count == 2; /* . and .. */
}

/* The servers' user must be able to walk down to its files; asked of the kernel, as that user. */
static bool user_reaches(const struct lab *lab)
{
    int status = 1;
    pid_t pid = fork();
    if (pid == 0)
        _exit(lab_user_become(&lab->user) && access(lab->dir.ptr, X_OK) == 0 ? 0 : 1);
    while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static bool make_home(struct arena *arena, struct lab *lab, const struct lab_options *options,
                      struct err *err)
{
    char real[PATH_MAX];
    const char *path = str_cstr(arena, options->dir);
    if (is_lab(str_c(path))) {
        err_set(err, ERR_REFUSED, "there is a lab in %s already", path);
        return err_next(err, "%s lab down --dir '%s'", options->program, path);
    }
    bool fresh = access(path, F_OK) != 0;
    if (!io_make_dirs(path, 0755, err))
        return false;
    if (realpath(path, real) == NULL)
        return err_errno(err, "%s", path);
    if (!dir_is_empty(real)) {
        err_set(err, ERR_REFUSED, "%s is not empty", real);
        return err_next(err, "%s lab up %s --dir '%s/lab'", options->program, lab->kind->name,
                        real);
    }
    if (strpbrk(real, "\n\r") != NULL)
        return err_set(err, ERR_REFUSED, "a line break in the folder's name");
    lab->dir = str_copy(arena, str_c(real));
    if (!user_reaches(lab)) {
        if (fresh)
            rmdir(real);
        err_set(err, ERR_REFUSED, "user %s cannot reach %s", lab->user.name.ptr, real);
        return err_next(err, "%s lab up %s --dir /var/lib/reseal-lab/%s", options->program,
                        lab->kind->name, lab->kind->name);
    }
    return true;
}

/* The longest socket must fit the kernel's 107 bytes, or they go elsewhere. */
static bool place_sockets(struct arena *arena, struct lab *lab, struct err *err)
{
    char space[] = "/tmp/reseal-lab-XXXXXX";
    const char *longest = lab->kind->longest_socket;
    if (longest == NULL ||
        lab->dir.len + strlen(longest) < sizeof(((struct sockaddr_un *)0)->sun_path))
        return true;
    if (mkdtemp(space) == NULL || chmod(space, 0755) < 0)
        return err_errno(err, "%s", space);
    lab->sockets = str_copy(arena, str_c(space));
    return true;
}

static bool build(struct arena *arena, struct lab *lab, struct err *err)
{
    AUTO(lab_ca) struct lab_ca ca = { 0 };
    str anchor;
    if (!lab_ca_make(&ca, err) || !lab_make_ca(arena, lab, &ca, &anchor, err) ||
        !lab->kind->build(arena, lab, &ca, anchor, err))
        return false;
    lab->ready = true;
    return lab_record_write(lab, err);
}

/* One command at a time in one folder; released when the descriptor is closed. */
static bool lock_dir(str dir, int *ret_fd, struct err *err)
{
    *ret_fd = open(dir.ptr, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*ret_fd < 0)
        return err_errno(err, "%s", dir.ptr);
    if (flock(*ret_fd, LOCK_EX | LOCK_NB) < 0)
        return err_set(err, ERR_CONFLICT, "another reseal lab is at work in %s", dir.ptr);
    return true;
}

static bool check_options(const struct lab *lab, struct err *err)
{
    const struct lab_kind *kind = lab->kind;
    size_t least = lab->state == LAB_HALF_RENEWED ? 3 : kind->nodes_least;
    if ((kind->states & 1U << lab->state) == 0)
        return err_set(err, ERR_USAGE, "the lab %s has no state %s", kind->name,
                       lab_state_name(lab->state));
    if (!lab->verify_full && !kind->verify_ca)
        return err_set(err, ERR_USAGE, "the lab %s always verifies names", kind->name);
    if (lab->count >= least && lab->count <= kind->nodes_most)
        return true;
    if (least == kind->nodes_most)
        return err_set(err, ERR_USAGE, "the lab %s has %zu nodes", kind->name, least);
    return err_set(err, ERR_USAGE, "a lab %s has %zu to %zu nodes", lab_state_name(lab->state),
                   least, kind->nodes_most);
}

bool lab_up(struct arena *arena, const struct lab_options *options, struct lab *ret_lab,
            struct err *err)
{
    AUTO(fd) int lock = -1;
    const struct lab_kind *kind = options->kind;
    struct lab lab = { .kind = kind,
                       .state = options->state,
                       .verify_full = options->verify_full,
                       .count = options->nodes == 0 ? kind->nodes_usual : options->nodes };
    if (!check_options(&lab, err) || !cluster_new_id(arena, &lab.id, err) ||
        !lab_user_find(arena, kind->run_as, kind->packages, &lab.user, err) ||
        !kind->find(arena, &lab, err) || !make_home(arena, &lab, options, err) ||
        !lock_dir(lab.dir, &lock, err) || !place_sockets(arena, &lab, err))
        return false;
    lab_name_nodes(arena, &lab);
    if (!lab_record_write(&lab, err))
        return false;
    if (!build(arena, &lab, err))
        return err_next(err, "%s lab down --dir '%s'", options->program, lab.dir.ptr);
    *ret_lab = lab;
    return true;
}

bool lab_down(struct arena *arena, str dir, bool keep_files, struct err *err)
{
    AUTO(fd) int lock = -1;
    struct lab lab;
    if (!lab_record_read(arena, dir, &lab, err) || !lock_dir(lab.dir, &lock, err))
        return false;
    /* The last first: a primary waits for the streams that are still open. */
    for (size_t i = lab.count; i-- > 0;) {
        struct lab_process server = lab_server_of(arena, &lab, i);
        if (server.pid > 0 && !lab_process_stop(&server, err))
            return err_wrap(err, "%s", lab.nodes[i].name.ptr);
        lab.nodes[i].server = (struct lab_process){ 0 };
    }
    return keep_files ? lab_record_write(&lab, err) : lab_files_remove(arena, &lab, err);
}
