/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/web/server.h"

#include "lab/files.h"
#include "lab/server.h"
#include "lab/web/config.h"

bool lab_web_find(struct arena *arena, struct lab *lab, struct err *err)
{
    (void)arena;
    lab->bin = S("/usr/sbin");
    if (access("/usr/sbin/nginx", X_OK) == 0 && access("/usr/sbin/haproxy", X_OK) == 0)
        return true;
    err_set(err, ERR_REFUSED, "no nginx or no haproxy in %s", lab->bin.ptr);
    return err_next(err, "apt-get install --no-install-recommends nginx-light haproxy");
}

/* Both stay in the foreground, and the process that is recorded stays the same at a reload: it is
   the master of the workers that serve. */
static void nginx_command(struct arena *arena, const struct lab *lab, const struct lab_node *at,
                          const char **argv)
{
    argv[0] = str_printf(arena, "%s/nginx", lab->bin.ptr).ptr;
    argv[1] = "-e";
    argv[2] = at->log.ptr;
    argv[3] = "-c";
    argv[4] = str_printf(arena, "%s/nginx.conf", at->home.ptr).ptr;
    argv[5] = "-g";
    argv[6] = "daemon off;";
}

static void haproxy_command(struct arena *arena, const struct lab *lab, const struct lab_node *at,
                            const char **argv)
{
    argv[0] = str_printf(arena, "%s/haproxy", lab->bin.ptr).ptr;
    argv[1] = "-W";
    argv[2] = "-db";
    argv[3] = "-f";
    argv[4] = str_printf(arena, "%s/haproxy.cfg", at->home.ptr).ptr;
}

bool lab_web_prepare(struct arena *arena, const struct lab *lab, size_t node,
                     struct lab_command *ret_command, struct err *err)
{
    const struct lab_node *at = &lab->nodes[node];
    const char **argv = arena_alloc(arena, 8, sizeof(*argv));
    bool front = lab_web_is_front(lab, node);
    str path = str_printf(arena, "%s/%s", at->home.ptr, front ? "haproxy.cfg" : "nginx.conf");
    if (front)
        haproxy_command(arena, lab, at, argv);
    else
        nginx_command(arena, lab, at, argv);
    *ret_command = (struct lab_command){
        .argv = argv, .log = at->log.ptr, .cwd = at->home.ptr, .server = true
    };
    return lab_write(lab, path,
                     front ? lab_web_haproxy(arena, lab) : lab_web_nginx(arena, lab, node),
                     LAB_SERVERS, err);
}

bool lab_web_ready(struct arena *arena, const struct lab *lab, size_t node)
{
    (void)arena;
    return lab_listens(lab->nodes[node].port);
}

/* nginx writes its file itself; HAProxy's is ours. */
bool lab_web_running(struct arena *arena, const struct lab_node *node,
                     struct lab_process *ret_process)
{
    return lab_process_of_file(arena, str_printf(arena, "%s/nginx.pid", node->data.ptr), node->home,
                               ret_process) ||
           lab_process_of_file(arena, str_printf(arena, "%s/pid", node->home.ptr), node->home,
                               ret_process);
}

void lab_web_ask(struct arena *arena, const struct lab *lab, size_t node,
                 struct lab_node_status *status)
{
    (void)arena;
    status->answered = lab_listens(lab->nodes[node].port);
    status->role = lab_web_is_front(lab, node) ? S("HAProxy") : S("nginx");
    if (!status->answered)
        status->why_not = S("it does not listen");
}
