/* SPDX-License-Identifier: Apache-2.0 */
#include "reach/fleet.h"

#include "base/io.h"

static void start(const struct fleet *fleet, struct fleet_member *member)
{
    AUTO(err) struct err err = { 0 };
    member->reach = (struct reach){ .node = member->node, .in = -1, .out = -1 };
    bool started = member->elsewhere ? reach_ssh(&member->way, &member->reach, &err)
                                     : reach_local(fleet->program, member->node, member->state,
                                                   &member->reach, &err);
    if (!started)
        member->reach.pid = 0;
}

static struct fleet_member member_of(const struct cluster *cluster, const struct node_conf *node)
{
    struct fleet_member member = { .node = node->name, .state = node->state };
    member.elsewhere = ssh_address_parse(node->reach, &member.way.address);
    member.way.config = cluster->ssh_config;
    member.way.program = node->program;
    member.way.node = node->name;
    member.way.state = node->state;
    return member;
}

void fleet_open(struct arena *arena, const struct cluster *cluster, const char *program,
                struct fleet *ret_fleet)
{
    *ret_fleet = (struct fleet){ .arena = arena, .program = program };
    for (size_t i = 0; i < cluster->nodes.count; i++)
        list_push(arena, &ret_fleet->members) = member_of(cluster, &cluster->nodes.items[i]);
    /* A started one names its way, which must not move any more. */
    for (size_t i = 0; i < ret_fleet->members.count; i++)
        start(ret_fleet, &ret_fleet->members.items[i]);
}

/* They end side by side. */
void fleet_close(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->members.count; i++)
        reach_hang_up(&fleet->members.items[i].reach);
    for (size_t i = 0; i < fleet->members.count; i++)
        reach_close(&fleet->members.items[i].reach);
    fleet->members.count = 0;
}

static struct fleet_member *find(const struct fleet *fleet, str node)
{
    for (size_t i = 0; i < fleet->members.count; i++)
        if (str_eq(fleet->members.items[i].node, node))
            return &fleet->members.items[i];
    return NULL;
}

struct reach *fleet_reach(struct fleet *fleet, str node)
{
    struct fleet_member *member = find(fleet, node);
    if (member == NULL)
        return NULL;
    if (member->reach.greeted && reach_is_over(&member->reach)) {
        reach_close(&member->reach);
        start(fleet, member);
    }
    return &member->reach;
}

str fleet_line(struct arena *arena, const struct fleet *fleet, str node, str command)
{
    const struct fleet_member *member = find(fleet, node);
    return member == NULL || !member->elsewhere ? command : ssh_line(arena, &member->way, command);
}

str fleet_node_text(struct arena *arena, const struct node_conf *node)
{
    struct cluster alone;
    AUTO(err) struct err err = { 0 };
    /* Parsing nothing gives every default its value, so none of them is written. */
    if (!cluster_parse(arena, "/node.yaml", S("{}"), true, &alone, &err))
        return S("");
    list_push(arena, &alone.nodes) = *node;
    return cluster_format(arena, &alone);
}

str answer_text(struct arena *arena, const json_t *answer, const char *name)
{
    const json_t *value = json_object_get(answer, name);
    return str_copy(arena, (str){ json_string_value(value), json_string_length(value) });
}
