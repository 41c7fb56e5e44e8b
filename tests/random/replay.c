/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/random/replay.h"

bool replay_fail(struct replay *replay, const char *rule, str text)
{
    replay->fault->rule = rule;
    replay->fault->text = text;
    return false;
}

static void make_worlds(struct replay *replay)
{
    const struct doc *doc = replay->doc;
    replay->worlds = arena_alloc(replay->arena, doc->waves.count + 1, sizeof(struct world));
    world_start(replay->truth, replay->cluster, &replay->worlds[0]);
    for (size_t wave = 0; wave < doc->waves.count; wave++) {
        const struct doc_wave *row = &doc->waves.items[wave];
        replay->worlds[wave + 1] = replay->worlds[wave];
        for (size_t i = 0; i < row->steps.count; i++)
            world_step(replay->truth, replay->cluster, &replay->worlds[wave + 1],
                       &doc->steps.items[row->steps.items[i]]);
    }
}

bool replay_run(struct replay *replay)
{
    *replay->fault = (struct fault){ .link = NONE };
    if (replay->doc->problem.len > 0)
        return replay_fail(replay, "the document cannot be read", replay->doc->problem);
    make_worlds(replay);
    return check_steps(replay) && check_changes(replay) && check_end(replay) &&
           check_gone(replay) && (!replay->doc->proven || walk_links(replay));
}
