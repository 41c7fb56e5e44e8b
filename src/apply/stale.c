/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/stale.h"

static bool plan_has(const struct plan *plan, str id)
{
    for (size_t i = 0; i < plan->steps.count; i++)
        if (str_eq(plan->steps.items[i].id, id))
            return true;
    return false;
}

/* A step that is not planned any more is done, or the cluster went another way. A snapshot of what
   is not going to change is not missed, nor a hold before it, and a verification is made anyway. */
static bool is_accounted_for(struct apply *apply, const struct step *step, str *ret_evidence,
                             bool *ret_done, struct err *err)
{
    *ret_done = true;
    if (step->kind == STEP_snapshot || step->kind == STEP_hold || step->kind == STEP_verify ||
        plan_has(apply->plan, step->id))
        return true;
    return apply_is_done(apply, step, ret_done, ret_evidence, err);
}

static void add_sources(struct apply *apply, const struct approved *approved, struct buf *text)
{
    const seen_file_list *now = &apply->survey->sources;
    for (size_t i = 0; i < approved->made_from.count; i++)
        for (size_t k = 0; k < now->count; k++)
            if (str_eq(approved->made_from.items[i].store, now->items[k].path) &&
                !str_eq(approved->made_from.items[i].digest, now->items[k].state))
                buf_printf(apply->arena, text, "\n  changed since: %.*s",
                           STR_ARG(now->items[k].path));
}

bool stale_check(struct apply *apply, const struct approved *approved, struct err *err)
{
    struct buf text = { 0 };
    size_t differences = 0;
    buf_add(apply->arena, &text, S("the plan does not fit any more"));
    for (size_t i = 0; i < approved->steps.count; i++) {
        const struct step *step = &approved->steps.items[i];
        str evidence = S("");
        bool done;
        if (!is_accounted_for(apply, step, &evidence, &done, err))
            return err_wrap(err, "%.*s", STR_ARG(step->text));
        if (done)
            continue;
        differences++;
        buf_printf(apply->arena, &text, "\n  not as planned: %.*s (%.*s)", STR_ARG(step->text),
                   STR_ARG(evidence));
    }
    for (size_t i = 0; i < apply->plan->steps.count; i++) {
        const struct step *step = &apply->plan->steps.items[i];
        if (approved_has(approved, step->id))
            continue;
        differences++;
        buf_printf(apply->arena, &text, "\n  not in the plan: %.*s", STR_ARG(step->text));
    }
    if (differences == 0)
        return true;
    add_sources(apply, approved, &text);
    return err_set(err, ERR_CONFLICT, "%.*s", STR_ARG(buf_str(&text)));
}
