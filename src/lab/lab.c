/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/lab.h"

#include "base/io.h"
#include "cluster/cluster.h"
#include "lab/config.h"
#include "lab/files.h"
#include "lab/postgresql.h"
#include "lab/query.h"
#include "lab/record.h"

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

bool lab_default_dir(struct arena *arena, str *ret_dir, struct err *err)
{
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");
    if (geteuid() == 0)
        *ret_dir = S("/var/lib/reseal-lab/postgresql");
    else if (state != NULL && state[0] == '/')
        *ret_dir = str_printf(arena, "%s/reseal/lab/postgresql", state);
    else if (home != NULL && home[0] == '/')
        *ret_dir = str_printf(arena, "%s/.local/state/reseal/lab/postgresql", home);
    else
        return err_set(err, ERR_USAGE, "neither XDG_STATE_HOME nor HOME says where the lab goes");
    return true;
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
    if (access(str_printf(arena, "%s/lab.json", path).ptr, F_OK) == 0) {
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
        return err_next(err, "%s lab up postgresql --dir '%s/lab'", options->program, real);
    }
    if (strpbrk(real, "\n\r") != NULL)
        return err_set(err, ERR_REFUSED, "a line break in the folder's name");
    lab->dir = str_copy(arena, str_c(real));
    if (!user_reaches(lab)) {
        if (fresh)
            rmdir(real);
        err_set(err, ERR_REFUSED, "user %s cannot reach %s", lab->user.name.ptr, real);
        return err_next(err, "%s lab up postgresql --dir /var/lib/reseal-lab/postgresql",
                        options->program);
    }
    return true;
}

/* ".s.PGSQL.65535" in the longest node's folder must fit the kernel's 107 bytes. */
static bool place_sockets(struct arena *arena, struct lab *lab, struct err *err)
{
    char space[] = "/tmp/reseal-lab-XXXXXX";
    size_t longest = lab->dir.len + sizeof("/db9/run/.s.PGSQL.65535") - 1;
    if (longest >= sizeof(((struct sockaddr_un *)0)->sun_path)) {
        if (mkdtemp(space) == NULL || chmod(space, 0755) < 0)
            return err_errno(err, "%s", space);
        lab->sockets = str_copy(arena, str_c(space));
    }
    for (size_t i = 0; i < lab->count; i++)
        lab_node_name(arena, lab, i);
    return true;
}

static bool make_roles(struct arena *arena, const struct lab *lab, struct err *err)
{
    static const char *const statements[] = { "create role app login",
                                              "create database app owner app" };
    str cell;
    for (size_t i = 0; i < COUNT(statements); i++)
        if (!lab_query(arena, &lab->user, &lab->nodes[0], statements[i], &cell, err))
            return false;
    return true;
}

static bool start_all(struct arena *arena, struct lab *lab, struct err *err)
{
    if (!lab_postgresql_init(arena, lab, err) || !lab_postgresql_start(arena, lab, 0, err) ||
        !make_roles(arena, lab, err) || !lab_postgresql_copy(arena, lab, err))
        return false;
    for (size_t i = 1; i < lab->count; i++)
        if (!lab_postgresql_start(arena, lab, i, err))
            return false;
    return true;
}

/* What is left to do once the servers run with the certificates that the state begins with. */
static bool reach_state(struct arena *arena, struct lab *lab, const struct lab_ca *ca,
                        struct err *err)
{
    if (lab->state == LAB_EXPIRED)
        return true;
    if (!lab_postgresql_streams(arena, lab, err))
        return false;
    if (lab->state != LAB_HALF_RENEWED)
        return true;
    return lab_files_renew(arena, lab, ca, 0, err) && lab_postgresql_reload(arena, lab, 0, err) &&
           lab_files_renew(arena, lab, ca, 2, err);
}

static bool write_texts(struct arena *arena, const struct lab *lab, struct err *err)
{
    return lab_write(lab, io_join(arena, lab->dir, S("app/pg_service.conf")),
                     lab_config_services(arena, lab), LAB_OURS, err) &&
           lab_write(lab, io_join(arena, lab->dir, S("cluster.yaml")),
                     lab_config_cluster(arena, lab), LAB_OURS, err);
}

static bool build(struct arena *arena, struct lab *lab, struct err *err)
{
    AUTO(lab_ca) struct lab_ca ca = { 0 };
    if (!lab_ca_make(&ca, err) || !lab_files_make(arena, lab, &ca, err) ||
        !start_all(arena, lab, err) || !reach_state(arena, lab, &ca, err) ||
        !write_texts(arena, lab, err))
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

bool lab_up(struct arena *arena, const struct lab_options *options, struct lab *ret_lab,
            struct err *err)
{
    AUTO(fd) int lock = -1;
    struct lab lab = { .state = options->state,
                       .verify_full = options->verify_full,
                       .count = options->nodes };
    size_t least = options->state == LAB_HALF_RENEWED ? 3 : LAB_NODES_MIN;
    if (options->nodes < least || options->nodes > LAB_NODES_MAX)
        return err_set(err, ERR_USAGE, "a lab %s has %zu to %d nodes",
                       lab_state_name(options->state), least, LAB_NODES_MAX);
    if (!cluster_new_id(arena, &lab.id, err) || !lab_user_find(arena, &lab.user, err) ||
        !lab_postgresql_find(arena, &lab.bin, err) || !make_home(arena, &lab, options, err) ||
        !lock_dir(lab.dir, &lock, err) || !place_sockets(arena, &lab, err) ||
        !lab_record_write(&lab, err))
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
    /* Standbys first: a primary waits for the streams that are still open. */
    for (size_t i = lab.count; i-- > 0;) {
        struct lab_node *node = &lab.nodes[i];
        if (!lab_process_alive(&node->server) &&
            !lab_process_of_data(arena, node->data, &node->server))
            node->server = (struct lab_process){ 0 };
        if (node->server.pid > 0 && !lab_process_stop(&node->server, err))
            return err_wrap(err, "%s", node->name.ptr);
        node->server = (struct lab_process){ 0 };
    }
    return keep_files ? lab_record_write(&lab, err) : lab_files_remove(arena, &lab, err);
}
