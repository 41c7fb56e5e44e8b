/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"

#include "cmd/open.h"

#include <limits.h>
#include <stdlib.h>

/* `reseal discover`: a cluster file from running servers, or the one that is there filled in. */

struct discover_options {
    const char *name;
};

// clang-format off
static const struct option options[] = {
    { "name", 'n', OPTION_TEXT, "NAME", "what to call the cluster (default: cluster)", NULL, OPTION_AT(struct discover_options, const char *, name) },
    { 0 },
};
// clang-format on

/* A folder is a data folder, a file a postgresql.conf. */
static bool add_node(struct cmd *cmd, struct cluster *cluster, const char *place, struct err *err)
{
    char real[PATH_MAX];
    if (realpath(place, real) == NULL)
        return err_errno(err, "%s", place);
    str path = str_copy(&cmd->arena, str_c(real));
    struct node_conf node = { .reach = S("local"), .system = S("postgresql") };
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
    .arguments = "[DATA_FOLDER | POSTGRESQL_CONF ...]",
    .summary = "print a cluster file made from running servers, or the one there filled in",
    .description =
        "With folders or configuration files of PostgreSQL servers: a new cluster file.\n"
        "Without: the cluster file, with everything that its drivers find. Changes\n"
        "nothing; the file goes to standard output.",
    .examples = "  reseal discover /var/lib/postgresql/15/main >cluster.yaml\n"
                "  reseal discover /etc/postgresql/15/main/postgresql.conf --name orders",
    .options = options,
    .options_size = sizeof(struct discover_options),
    .words_max = ANY_WORDS,
    .run = run,
};
