/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"

#include "cluster/ssh.h"
#include "cmd/open.h"

#include <limits.h>
#include <stdlib.h>

/* `reseal discover`: a cluster file from running servers, or the one that is there filled in. */

struct discover_options {
    const char *name, *ssh_config;
};

// clang-format off
static const struct option options[] = {
    { "name", 'n', OPTION_TEXT, "NAME", "what to call the cluster (default: cluster)", NULL, OPTION_AT(struct discover_options, const char *, name) },
    { "ssh-config", 0, OPTION_FILE, "FILE", "ssh_config(5) file for places that begin with ssh://", NULL, OPTION_AT(struct discover_options, const char *, ssh_config) },
    { 0 },
};
// clang-format on

/* Whether a place elsewhere is there is seen when its node is asked. */
static bool find_place(struct cmd *cmd, const char *place, str *ret_reach, str *ret_path,
                       struct err *err)
{
    char real[PATH_MAX];
    struct ssh_address address;
    *ret_reach = S("local");
    if (ssh_is_meant(str_c(place))) {
        if (ssh_split(str_c(place), ret_reach, ret_path) && ssh_address_parse(*ret_reach, &address))
            return true;
        return err_set(err, ERR_USAGE, "%s is not ssh://[USER@]HOST[:PORT]/FOLDER", place);
    }
    if (realpath(place, real) == NULL)
        return err_errno(err, "%s", place);
    *ret_path = str_copy(&cmd->arena, str_c(real));
    return true;
}

/* A folder is a data folder, a file a postgresql.conf. */
static bool add_node(struct cmd *cmd, struct cluster *cluster, const char *place, struct err *err)
{
    str path;
    struct node_conf node = { .system = S("postgresql") };
    if (!find_place(cmd, place, &node.reach, &path, err))
        return false;
    node.name = str_printf(&cmd->arena, "db%zu", cluster->nodes.count + 1);
    if (str_ends(path, S(".conf")))
        node.config = path;
    else
        node.data = path;
    list_push(&cmd->arena, &cluster->nodes) = node;
    return true;
}

/* Parsing a file that says nothing gives every default its value. */
static bool new_cluster(struct cmd *cmd, struct cluster *cluster, struct err *err)
{
    const struct discover_options *given = cmd->options;
    str id;
    if (!cluster_new_id(&cmd->arena, &id, err))
        return false;
    str text = str_printf(&cmd->arena, "cluster: \"%s\"\nid: %.*s\n",
                          given->name != NULL ? given->name : "cluster", STR_ARG(id));
    if (!cluster_parse(&cmd->arena, "./cluster.yaml", text, true, cluster, err))
        return false;
    if (given->ssh_config != NULL) {
        char real[PATH_MAX];
        if (realpath(given->ssh_config, real) == NULL)
            return err_errno(err, "%s", given->ssh_config);
        cluster->ssh_config = str_copy(&cmd->arena, str_c(real));
    }
    for (size_t i = 0; i < cmd->words.count; i++)
        if (!add_node(cmd, cluster, cmd->words.items[i], err))
            return false;
    return true;
}

static void report(const struct survey *survey)
{
    for (size_t i = 0; i < survey->findings.count; i++) {
        const struct finding *finding = &survey->findings.items[i];
        if (finding->code == FINDING_node_unreachable || finding->code == FINDING_undeclared_peer)
            fprintf(stderr, "reseal: %.*s: %.*s\n", STR_ARG(finding->where),
                    STR_ARG(finding->text));
    }
}

static int run(struct cmd *cmd, struct err *err)
{
    AUTO(opened) struct opened opened = { 0 };
    bool known = cmd->words.count > 0 ? new_cluster(cmd, &opened.cluster, err)
                                      : open_cluster(cmd, &opened.cluster, err);
    if (!known)
        return EXIT_FAILED;
    bool found = open_survey(cmd, clock_now(), true, &opened, err);
    report(&opened.survey);
    if (!found)
        return EXIT_FAILED;
    str text = cluster_format(&cmd->arena, &opened.cluster);
    fwrite(text.ptr, 1, text.len, cmd->out);
    return EXIT_OK;
}

const struct command command_discover = {
    .name = "discover",
    .arguments = "[[ssh://HOST]DATA_FOLDER | [ssh://HOST]POSTGRESQL_CONF ...]",
    .summary = "print a cluster file made from running servers, or the one there filled in",
    .description =
        "With folders or configuration files of PostgreSQL servers: a new cluster file.\n"
        "Without: the cluster file, with everything that its drivers find. Changes\n"
        "nothing; the file goes to standard output.",
    .examples = "  reseal discover /var/lib/postgresql/15/main >cluster.yaml\n"
                "  reseal discover /etc/postgresql/15/main/postgresql.conf --name orders\n"
                "  reseal discover ssh://root@db1/srv/db ssh://root@db2/srv/db",
    .options = options,
    .options_size = sizeof(struct discover_options),
    .words_max = ANY_WORDS,
    .run = run,
};
