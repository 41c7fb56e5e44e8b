/* SPDX-License-Identifier: Apache-2.0 */
#include "plan/planner.h"

#include <stddef.h>

/* Services made to load what is stored, one batch after another. */

static const struct load_row {
    size_t flag; /* offset of a bool in struct turn */
    const char *leaves, *what;
} rows[] = {
  // clang-format off
    [LOADS_GAINS]    = { offsetof(struct turn, loads_trust),    "trust loaded",                "the new anchor" },
    [LOADS_SWAPS]    = { offsetof(struct turn, loads_swap),     "anchor replaced",             "the anchor that took the old one's place" },
    [LOADS_IDENTITY] = { offsetof(struct turn, loads_identity), "identity loaded",             "the stored certificate" },
    [LOADS_FORGETS]  = { offsetof(struct turn, unloads_pins),   "old pin no longer loaded",    "the pins that are left" },
    [LOADS_LOSSES]   = { offsetof(struct turn, unloads_trust),  "old anchor no longer loaded", "what is left to trust" },
  // clang-format on
};

static bool restarts(const struct planner *planner, uint32_t process)
{
    size_t count;
    const uint32_t *services = groups_of(&planner->services_of_process, process, &count);
    for (size_t i = 0; i < count; i++)
        if (planner->model->services.items[services[i]].restarts)
            return true;
    return false;
}

/* What starts anew is not there for a moment: not for its clients, and not as a client. */
static void list_outage(struct planner *planner, uint32_t process, struct step *step)
{
    size_t count;
    const uint32_t *links = groups_of(&planner->links_of_process, process, &count);
    for (size_t i = 0; i < count; i++) {
        const struct link *link = &planner->model->links.items[links[i]];
        if (link->kind == LINK_CONNECT)
            list_push(planner->arena, &step->outage) = link->key;
    }
}

static struct step load_step(struct planner *planner, const struct load_row *row, uint32_t process)
{
    const struct service *service = &planner->model->services.items[process];
    struct step step = step_make(STEP_refresh, service->node, service->name, S(""));
    bool anew = restarts(planner, process);
    step.leaves = str_c(row->leaves);
    step.text =
        anew ? str_printf(planner->arena, "restart %.*s to load %s", STR_ARG(service->key),
                          row->what)
             : str_printf(planner->arena, "load %s into %.*s", row->what, STR_ARG(service->key));
    if (anew)
        list_outage(planner, process, &step);
    return step;
}

void planner_loads(struct planner *planner, enum planner_load what, size_t from, size_t end)
{
    const struct load_row *row = &rows[what];
    struct wave *wave = wave_add(planner);
    for (size_t i = from; i < end; i++) {
        const struct turn *turn = &planner->turns.items[i];
        if (*(const bool *)((const char *)turn + row->flag))
            step_add(planner, wave, load_step(planner, row, turn->service));
    }
    wave_drop_if_empty(planner);
}

void planner_all_loads(struct planner *planner, enum planner_load what)
{
    for (size_t from = 0, end; from < planner->turns.count; from = end) {
        end = planner_batch_end(planner, from);
        planner_loads(planner, what, from, end);
    }
}
