/* SPDX-License-Identifier: Apache-2.0 */
#include "reach/fleet.h"

#include "base/io.h"

static void start(const struct fleet *fleet, struct fleet_member *member)
{
    AUTO(err) struct err err = { 0 };
    member->reach = (struct reach){ .node = member->node, .in = -1, .out = -1 };
    if (!reach_local(fleet->program, member->node, member->state, &member->reach, &err))
        member->reach.pid = 0;
}

void fleet_open(struct arena *arena, const struct cluster *cluster, const char *program, str usual,
                struct fleet *ret_fleet)
{
    *ret_fleet = (struct fleet){ .arena = arena, .program = program };
    for (size_t i = 0; i < cluster->nodes.count; i++) {
        const struct node_conf *node = &cluster->nodes.items[i];
        struct fleet_member member = { .node = node->name, .state = node->state };
        if (member.state.len == 0)
            member.state = io_join(arena, usual, node->name);
        start(ret_fleet, &member);
        list_push(arena, &ret_fleet->members) = member;
    }
}

void fleet_restart(struct fleet *fleet, str node)
{
    for (size_t i = 0; i < fleet->members.count; i++) {
        struct fleet_member *member = &fleet->members.items[i];
        if (!str_eq(member->node, node))
            continue;
        reach_close(&member->reach);
        start(fleet, member);
    }
}

void fleet_close(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->members.count; i++)
        reach_close(&fleet->members.items[i].reach);
    fleet->members.count = 0;
}

struct reach *fleet_reach(struct fleet *fleet, str node)
{
    for (size_t i = 0; i < fleet->members.count; i++)
        if (str_eq(fleet->members.items[i].node, node))
            return &fleet->members.items[i].reach;
    return NULL;
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
