/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/etcd/server.h"

#include "lab/etcd/config.h"
#include "lab/files.h"
#include "lab/server.h"
#include "node/run.h"

enum { ASK_MS = 10000 };

bool lab_etcd_find(struct arena *arena, struct lab *lab, struct err *err)
{
    (void)arena;
    lab->bin = S("/usr/bin");
    if (access("/usr/bin/etcd", X_OK) == 0 && access("/usr/bin/etcdctl", X_OK) == 0)
        return true;
    err_set(err, ERR_REFUSED, "no etcd in %s", lab->bin.ptr);
    return err_next(err, "apt-get install --no-install-recommends etcd-server etcd-client");
}

bool lab_etcd_prepare(struct arena *arena, const struct lab *lab, size_t node,
                      struct lab_command *ret_command, struct err *err)
{
    const struct lab_node *at = &lab->nodes[node];
    str settings = str_printf(arena, "%s/etcd.yml", at->home.ptr);
    const char **argv = arena_alloc(arena, 4, sizeof(*argv));
    argv[0] = str_printf(arena, "%s/etcd", lab->bin.ptr).ptr;
    argv[1] = "--config-file";
    argv[2] = "etcd.yml";
    *ret_command = (struct lab_command){
        .argv = argv, .log = at->log.ptr, .cwd = at->home.ptr, .server = true
    };
    /* A member that was begun knows the others' ports of then. */
    return lab_make_empty_dir(lab, at->data, 0700, LAB_SERVERS, err) &&
           lab_write(lab, settings, lab_etcd_settings(arena, lab, node), LAB_SERVERS, err);
}

/* etcdctl's words, as the member's user; whether it did it. */
static bool ctl(struct arena *arena, const struct lab *lab, size_t node, const char *const *words,
                str *ret_output)
{
    AUTO(err) struct err err = { 0 };
    str_list argv = { 0 };
    struct run_result result;
    list_push(arena, &argv) = S("/bin/sh");
    list_push(arena, &argv) = str_printf(arena, "%s/ctl", lab->nodes[node].home.ptr);
    for (; *words != NULL; words++)
        list_push(arena, &argv) = str_c(*words);
    if (!run_as(arena, &argv, lab->user.name, ASK_MS, &result, &err)) {
        *ret_output = str_copy(arena, str_c(err.msg));
        return false;
    }
    *ret_output = str_trim(result.output);
    return result.exit_code == 0;
}

/* Members that do not accept each other have no leader, and then nobody listens for clients. */
bool lab_etcd_ready(struct arena *arena, const struct lab *lab, size_t node)
{
    static const char *const health[] = { "endpoint", "health", NULL };
    str output;
    if (lab->state == LAB_EXPIRED)
        return lab_listens(lab->nodes[node].other_port);
    return lab_listens(lab->nodes[node].port) && ctl(arena, lab, node, health, &output);
}

/* The restart script writes it as we do. */
bool lab_etcd_running(struct arena *arena, const struct lab_node *node,
                      struct lab_process *ret_process)
{
    return lab_process_of_file(arena, str_printf(arena, "%s/pid", node->home.ptr), node->home,
                               ret_process);
}

/* "https://127.0.0.1:21001, 37b94f4cefdc8ac9, 3.4.23, 20 kB, true, false, 4, 13, 13, ": the fifth
   says whether it leads. */
void lab_etcd_ask(struct arena *arena, const struct lab *lab, size_t node,
                  struct lab_node_status *status)
{
    static const char *const words[] = { "endpoint", "status", "-w", "simple", NULL };
    str output;
    if (!lab_listens(lab->nodes[node].port)) {
        status->why_not = S("it does not listen for clients: it knows of no leader");
        return;
    }
    if (!ctl(arena, lab, node, words, &output)) {
        status->why_not = str_cut(&output, '\n');
        return;
    }
    for (int i = 0; i < 4; i++)
        str_cut(&output, ',');
    status->answered = true;
    status->role = str_eq(str_trim(str_cut(&output, ',')), S("true")) ? S("leader") : S("follower");
}
