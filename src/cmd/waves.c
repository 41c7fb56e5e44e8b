/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/waves.h"

#include <string.h>

/* A plan of more waves, or for more identities, is summed up; so many names of a group then. */
enum { MANY_WAVES = 30, MANY_IDENTITIES = 40, SOME_NAMES = 4, LABEL_MAX = 28 };

/* Of those of whom the same is to be said. */
enum naming {
    NAME_ALL,
    NAME_CHANGED, /* whoever came to it with the last wave; the others are counted */
    NAME_SOME,    /* a few; the others are counted */
};

struct printer {
    const struct waves_view *view;
    struct arena *arena;
    struct names names;
    struct walk walk;
    FILE *out;
    enum naming naming;
    size_t column, indent;
    bool begun; /* the line has a word */
};

/* Whether nothing is left out that a step is about. */
static bool in_full(const struct printer *p)
{
    return p->naming == NAME_ALL || p->view->show == WAVES_EACH;
}

/* ---- lists of names, in lines that fit ---- */

static void start_list(struct printer *p, const char *head)
{
    fputs(head, p->out);
    p->column = p->indent = strlen(head);
    p->begun = false;
}

static void break_line(struct printer *p)
{
    fprintf(p->out, "\n%*s", (int)p->indent, "");
    p->column = p->indent;
    p->begun = false;
}

static void put_word(struct printer *p, str word)
{
    if (p->begun && p->column + 1 + word.len > p->view->width)
        break_line(p);
    fprintf(p->out, "%s%.*s", p->begun ? " " : "", STR_ARG(word));
    p->column += p->begun + word.len;
    p->begun = true;
}

/* What stands for the names that are left out. */
static void put_rest(struct printer *p, size_t named, size_t rest, const char *what)
{
    AUTO(arena) struct arena scratch = { 0 };
    if (rest > 0)
        put_word(p, str_printf(&scratch, "%s%zu %s", named > 0 ? "and " : "", rest, what));
    fputc('\n', p->out);
}

/* The i-th text of a list. */
typedef str item_text(struct printer *p, struct arena *scratch, const void *list, size_t i);

/* The first `count` of a list that goes on for `rest` more. */
static void put_items(struct printer *p, item_text *text, const void *list, size_t count,
                      size_t rest)
{
    for (size_t i = 0; i < count; i++) {
        AUTO(arena) struct arena scratch = { 0 };
        str item = text(p, &scratch, list, i);
        put_word(
            p, str_printf(&scratch, "%.*s%s", STR_ARG(item), i + 1 < count || rest > 0 ? "," : ""));
    }
}

static void put_list(struct printer *p, item_text *text, const void *list, size_t count, bool some)
{
    size_t shown = some && count > SOME_NAMES + 1 ? SOME_NAMES : count;
    put_items(p, text, list, shown, count - shown);
    put_rest(p, shown, count - shown, "more");
}

static str link_text(struct printer *p, struct arena *scratch, const void *list, size_t i)
{
    (void)p, (void)scratch;
    return ((const str_list *)list)->items[i];
}

/* ---- a state ---- */

static str identity_text(struct printer *p, struct arena *scratch, const void *list, size_t i)
{
    uint32_t id = ((const uint32_t *)list)[i];
    const struct state *state = &p->walk.after;
    uint32_t loaded = state->chain_loaded[id], stored = state->chain_stored[id];
    str name = name_of_identity(&p->names, id), leaf = name_of_leaf(&p->names, loaded);
    if (loaded == stored)
        return str_printf(scratch, "%.*s %.*s", STR_ARG(name), STR_ARG(leaf));
    return str_printf(scratch, "%.*s %.*s (%.*s stored)", STR_ARG(name), STR_ARG(leaf),
                      STR_ARG(name_of_leaf(&p->names, stored)));
}

static str truster_text(struct printer *p, struct arena *scratch, const void *list, size_t i)
{
    (void)scratch;
    return name_of_truster(&p->names, ((const uint32_t *)list)[i]);
}

static str group_label(struct arena *arena, const struct picture_group *group)
{
    return group->stored.len == 0 ? group->what
                                  : str_printf(arena, "%.*s (stored: %.*s)", STR_ARG(group->what),
                                               STR_ARG(group->stored));
}

static size_t label_width(struct arena *arena, const struct picture *picture)
{
    size_t width = 0;
    for (int side = 0; side < 2; side++) {
        const picture_groups *groups = side == 0 ? &picture->presents : &picture->trusts;
        for (size_t i = 0; i < groups->count; i++) {
            size_t len = group_label(arena, &groups->items[i]).len;
            width = len > width && len <= LABEL_MAX ? len : width;
        }
    }
    return width;
}

/* "600 (300 new, 2 with another one stored)" */
static str count_text(struct arena *arena, const struct picture_group *group)
{
    struct buf text = { 0 };
    size_t count = group->ids.count;
    buf_printf(arena, &text, "%zu", count);
    if (group->fresh > 0 && group->fresh < count)
        buf_printf(arena, &text, " (%zu new%s", group->fresh, group->pending > 0 ? "" : ")");
    if (group->pending > 0)
        buf_printf(arena, &text, "%s%zu with another one stored)",
                   group->fresh > 0 && group->fresh < count ? ", " : " (", group->pending);
    return buf_str(&text);
}

static bool has_changed(const struct printer *p, enum state_part stored, enum state_part loaded,
                        uint32_t id)
{
    uint32_t *const *before = p->walk.before.part, *const *after = p->walk.after.part;
    return before[stored][id] != after[stored][id] || before[loaded][id] != after[loaded][id];
}

/* Those who changed with the last wave are named, and the others counted. */
static void put_changed(struct printer *p, bool presents, const struct picture_group *group)
{
    AUTO(arena) struct arena scratch = { 0 };
    LIST(uint32_t) ids = { 0 };
    for (size_t i = 0; i < group->ids.count; i++)
        if (presents
                ? has_changed(p, STATE_CHAIN_STORED, STATE_CHAIN_LOADED, group->ids.items[i])
                : has_changed(p, STATE_TRUSTER_STORED, STATE_TRUSTER_LOADED, group->ids.items[i]))
            list_push(&scratch, &ids) = group->ids.items[i];
    size_t rest = group->ids.count - ids.count;
    put_items(p, presents ? identity_text : truster_text, ids.items, ids.count, rest);
    put_rest(p, ids.count, rest, "as before");
}

static void put_members(struct printer *p, struct arena *arena, bool presents,
                        const struct picture_group *group)
{
    item_text *text = presents ? identity_text : truster_text;
    if (p->naming == NAME_CHANGED) {
        put_changed(p, presents, group);
        return;
    }
    if (p->naming == NAME_ALL || group->ids.count <= SOME_NAMES + 1) {
        put_list(p, text, group->ids.items, group->ids.count, p->naming == NAME_SOME);
        return;
    }
    const struct model *model = p->view->judge->model;
    size_t everyone = presents ? model->identities.count : model->trusters.count;
    str count = count_text(arena, group);
    if (group->ids.count < everyone) {
        put_word(p, str_printf(arena, "%.*s:", STR_ARG(count)));
        put_list(p, text, group->ids.items, group->ids.count, p->naming == NAME_SOME);
    } else {
        put_word(p, str_printf(arena, "all %.*s", STR_ARG(count)));
        fputc('\n', p->out);
    }
}

static void print_groups(struct printer *p, struct arena *arena, bool presents,
                         const picture_groups *groups, size_t width)
{
    const char *verb = presents ? "presents" : "trusts";
    for (size_t i = 0; i < groups->count; i++) {
        str label = group_label(arena, &groups->items[i]);
        bool long_label = label.len > width;
        fprintf(p->out, "      %-8s  %.*s%s", i == 0 ? verb : "", STR_ARG(label),
                long_label ? "\n" : "");
        int gap = long_label ? (int)(18 + width) : (int)(2 + width - label.len);
        start_list(p, str_printf(arena, "%*s", gap, "").ptr);
        p->column = p->indent = 18 + width;
        put_members(p, arena, presents, &groups->items[i]);
    }
}

/* What has changed with the last waves. */
struct changed {
    bool presents, trusts;
};

/* The state that the walk has come to, less what has not changed. */
static void print_state(struct printer *p, struct changed changed)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct picture picture;
    picture_make(&scratch, &p->names, &p->walk.after, &picture);
    if (!changed.presents)
        picture.presents.count = 0;
    if (!changed.trusts)
        picture.trusts.count = 0;
    size_t width = label_width(&scratch, &picture);
    print_groups(p, &scratch, true, &picture.presents, width);
    print_groups(p, &scratch, false, &picture.trusts, width);
}

/* ---- what goes wrong ---- */

/* Links that a state breaks, and why. */
struct broken {
    struct map met;
    str_list links, why;
};

static void add_broken(struct arena *arena, struct broken *broken, const struct wave *wave)
{
    for (size_t i = 0; i < wave->broken.count; i++) {
        str link = wave->broken.items[i];
        uint32_t fresh = (uint32_t)broken->links.count;
        if (map_put(&broken->met, link, fresh) != fresh)
            continue;
        list_push(arena, &broken->links) = link;
        list_push(arena, &broken->why) = i < wave->why.count ? wave->why.items[i] : S("");
    }
}

static void print_broken(struct printer *p, const struct broken *broken)
{
    size_t count = broken->links.count;
    size_t shown = in_full(p) || count <= SOME_NAMES ? count : SOME_NAMES;
    for (size_t i = 0; i < shown; i++)
        fprintf(p->out, "    BREAKS    %.*s%s%.*s\n", STR_ARG(broken->links.items[i]),
                broken->why.items[i].len > 0 ? ": " : "", STR_ARG(broken->why.items[i]));
    if (shown < count)
        fprintf(p->out, "    BREAKS    %zu more links\n", count - shown);
}

/* ---- from one wave to the next ---- */

static const struct step *step_of(const struct printer *p, const struct wave *wave, size_t i)
{
    return &p->view->plan->steps.items[wave->steps.items[i]];
}

static void walk_waves(struct printer *p, size_t from, size_t end)
{
    for (size_t k = from; k < end; k++) {
        const struct wave *wave = &p->view->plan->waves.items[k];
        for (size_t i = 0; i < wave->steps.count; i++)
            walk_step(&p->walk, step_of(p, wave, i));
    }
}

static const struct changed everything = { true, true };

static struct changed changed_by(struct walk *walk)
{
    struct changed changed = { false, false };
    walk_sort(walk);
    for (size_t i = 0; i < walk->changes.count; i++) {
        enum state_part part = walk->changes.items[i].part;
        bool chain = part == STATE_CHAIN_STORED || part == STATE_CHAIN_LOADED;
        *(chain ? &changed.presents : &changed.trusts) = true;
    }
    return changed;
}

/* What the waves that were walked since the last time have left, where that is something else. */
static void print_then(struct printer *p, const char *when)
{
    struct changed changed = p->view->show == WAVES_ONE ? everything : changed_by(&p->walk);
    if (changed.presents || changed.trusts) {
        fprintf(p->out, "    %s\n", when);
        print_state(p, changed);
    }
    walk_on(&p->walk);
}

/* ---- phases ---- */

/* Waves that follow each other and do the same for other services. */
struct phase {
    size_t from, end;
    LIST(const struct step *) steps[STEP_KIND_COUNT];
    size_t count;
    uint64_t judged;
    struct broken broken;
};

/* Phases by the kind of their steps, and of loads by what they leave. */
static const struct phase_row {
    enum step_kind kind;
    const char *leaves, *title; /* leaves: NULL for any */
} phase_rows[] = {
    {STEP_snapshot,  NULL,                          "save what will be changed"           },
    { STEP_issue,    NULL,                          "get the certificates"                },
    { STEP_trust,    NULL,                          "put anchors into trust stores"       },
    { STEP_refresh,  "trust loaded",                "load the new anchors"                },
    { STEP_install,  NULL,                          "change certificates"                 },
    { STEP_switch,   NULL,                          "change certificates"                 },
    { STEP_refresh,  "identity loaded",             "change certificates"                 },
    { STEP_hold,     NULL,                          "wait"                                },
    { STEP_distrust, NULL,                          "take anchors out of trust stores"    },
    { STEP_refresh,  "old anchor no longer loaded", "let go of the old anchors"           },
    { STEP_replace,  NULL,                          "put anchors in the place of others"  },
    { STEP_refresh,  "anchor replaced",             "put anchors in the place of others"  },
    { STEP_refresh,  NULL,                          "load what is stored"                 },
    { STEP_verify,   NULL,                          "look at every connection on the wire"},
};

static const char *title_of(const struct step *step)
{
    for (size_t i = 0; i < COUNT(phase_rows); i++) {
        const struct phase_row *row = &phase_rows[i];
        if (row->kind == step->kind &&
            (row->leaves == NULL || str_eq(step->leaves, str_c(row->leaves))))
            return row->title;
    }
    return step_kind_text(step->kind);
}

static const char *title_of_wave(const struct printer *p, size_t number)
{
    return title_of(step_of(p, &p->view->plan->waves.items[number], 0));
}

static void add_wave(struct printer *p, struct phase *phase)
{
    const struct wave *wave = &p->view->plan->waves.items[phase->end++];
    for (size_t i = 0; i < wave->steps.count; i++) {
        const struct step *step = step_of(p, wave, i);
        list_push(p->arena, &phase->steps[step->kind]) = step;
    }
    phase->count += wave->steps.count;
    phase->judged += wave->judged;
    add_broken(p->arena, &phase->broken, wave);
}

/* The wave, and in a summary those after it that belong to it. */
static struct phase phase_from(struct printer *p, size_t from)
{
    struct phase phase = { .from = from, .end = from, .broken.met.arena = p->arena };
    do
        add_wave(p, &phase);
    while (p->naming == NAME_SOME && phase.end < p->view->plan->waves.count &&
           str_eq(str_c(title_of_wave(p, phase.end)), str_c(title_of_wave(p, from))));
    return phase;
}

/* ---- the steps of a phase ---- */

static str target_text(struct printer *p, struct arena *scratch, const void *list, size_t i)
{
    const struct step *step = ((const struct step *const *)list)[i];
    if (step->kind == STEP_hold)
        return name_of_authority(&p->names, step->new_cert);
    return str_printf(scratch, "%.*s/%.*s", STR_ARG(step->node),
                      STR_ARG(step->store.len > 0 ? step->store : step->service));
}

static void print_outage(struct printer *p, const char *what, const str_list *links)
{
    AUTO(arena) struct arena scratch = { 0 };
    if (links->count == 0)
        return;
    start_list(p, str_printf(&scratch, "              %s meanwhile: ", what).ptr);
    p->indent = 16;
    put_list(p, link_text, links, links->count, !in_full(p));
}

static void print_step(struct printer *p, const struct step *step)
{
    fprintf(p->out, "    %-8s  %.*s\n", step_kind_name(step->kind), STR_ARG(step->text));
    print_outage(p, "not there", &step->outage);
    print_outage(p, "REFUSED", &step->refused);
    if (step->why.len > 0)
        fprintf(p->out, "                because %.*s\n", STR_ARG(step->why));
}

/* Texts that come again and again. */
struct once {
    struct map met;
    str_list texts;
};

static void add_once(struct arena *arena, struct once *once, str text)
{
    uint32_t fresh = once->met.count;
    once->met.arena = arena;
    if (map_lend(&once->met, text, fresh) == fresh)
        list_push(arena, &once->texts) = text;
}

static void print_many(struct printer *p, enum step_kind kind, const struct step *const *steps,
                       size_t count)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct once outage = { 0 }, refused = { 0 }, why = { 0 };
    start_list(p, str_printf(&scratch, "    %-8s  %zu: ", step_kind_name(kind), count).ptr);
    p->indent = 14;
    put_list(p, target_text, steps, count, p->naming == NAME_SOME);
    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < steps[i]->outage.count; k++)
            add_once(&scratch, &outage, steps[i]->outage.items[k]);
        for (size_t k = 0; k < steps[i]->refused.count; k++)
            add_once(&scratch, &refused, steps[i]->refused.items[k]);
        if (steps[i]->why.len > 0)
            add_once(&scratch, &why, steps[i]->why);
    }
    print_outage(p, "not there", &outage.texts);
    print_outage(p, "REFUSED", &refused.texts);
    for (size_t i = 0; i < why.texts.count && i < SOME_NAMES; i++)
        fprintf(p->out, "                because %.*s\n", STR_ARG(why.texts.items[i]));
}

static void print_steps(struct printer *p, const struct phase *phase)
{
    for (int kind = 0; kind < STEP_KIND_COUNT; kind++) {
        size_t count = phase->steps[kind].count;
        if (!in_full(p) && count > SOME_NAMES)
            print_many(p, (enum step_kind)kind, phase->steps[kind].items, count);
        else
            for (size_t i = 0; i < count; i++)
                print_step(p, phase->steps[kind].items[i]);
    }
}

static void print_phase(struct printer *p, const struct phase *phase)
{
    fprintf(p->out, "t%zu", phase->from);
    if (phase->end > phase->from + 1)
        fprintf(p->out, " to t%zu", phase->end - 1);
    fprintf(p->out, "  %s%s%zu step%s", p->naming == NAME_SOME ? title_of_wave(p, phase->from) : "",
            p->naming == NAME_SOME ? ": " : "", phase->count, phase->count == 1 ? "" : "s");
    if (phase->judged > 0)
        fprintf(p->out, ", %llu state%s judged", (unsigned long long)phase->judged,
                phase->judged == 1 ? "" : "s");
    size_t broken = phase->broken.links.count;
    if (broken > 0)
        fprintf(p->out, ", %zu link%s BROKEN", broken, broken == 1 ? "" : "s");
    fputc('\n', p->out);
    print_steps(p, phase);
    print_broken(p, &phase->broken);
}

/* A long phase is also looked at in its middle, where old and new are side by side. */
static size_t print_from(struct printer *p, size_t from)
{
    enum { LONG = 8 };
    AUTO(arena) struct arena scratch = { 0 };
    p->arena = &scratch;
    struct phase phase = phase_from(p, from);
    print_phase(p, &phase);
    if (phase.end - from >= LONG) {
        size_t middle = from + (phase.end - from) / 2;
        walk_waves(p, from, middle);
        print_then(p, str_printf(&scratch, "halfway, after t%zu", middle - 1).ptr);
        from = middle;
    }
    walk_waves(p, from, phase.end);
    print_then(p, "then");
    return phase.end;
}

static void print_all(struct printer *p)
{
    const struct model *model = p->view->judge->model;
    size_t waves = p->view->plan->waves.count, from = 0;
    bool large =
        model->identities.count > MANY_IDENTITIES || model->trusters.count > MANY_IDENTITIES;
    bool sum_up = p->view->show == WAVES_FITTING && (large || waves > MANY_WAVES);
    if (waves == 0)
        return;
    p->naming = large && p->view->show != WAVES_EACH ? NAME_SOME : NAME_ALL;
    fputs("now\n", p->out);
    print_state(p, everything);
    p->naming = sum_up ? NAME_SOME : NAME_CHANGED;
    while (from < waves)
        from = print_from(p, from);
    if (sum_up && p->view->in_full != NULL)
        fprintf(p->out, "in full: %s all   (or the number of one wave)\n", p->view->in_full);
}

static void print_one(struct printer *p)
{
    for (size_t i = 0; i < p->view->wave; i++) {
        walk_waves(p, i, i + 1);
        walk_on(&p->walk);
    }
    p->naming = NAME_ALL;
    (void)print_from(p, p->view->wave);
}

void waves_print(const struct waves_view *view)
{
    AUTO(arena) struct arena arena = { 0 };
    struct printer p = { .view = view, .out = view->out };
    names_init(&p.names, &arena, view->judge);
    walk_start(&arena, view->judge->model, &p.walk);
    if (view->show == WAVES_ONE)
        print_one(&p);
    else
        print_all(&p);
}
