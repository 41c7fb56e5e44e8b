/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/waves.h"

#include "tests/test.h"
#include "tests/world.h"

#include <stdlib.h>
#include <string.h>

struct shown {
    struct world world;
    struct plan plan;
};

static void plan_new_root(struct shown *shown, const struct world_spec *spec)
{
    world_make(&shown->world, spec);
    struct plan_goal goal = { .cluster = S("test"),
                              .now = PKI_NOW,
                              .renew_before = 30 * PKI_DAY,
                              .lifetime = 90 * PKI_DAY,
                              .issuer = shown->world.second_id,
                              .anchor = shown->world.second_id,
                              .replace_others = true,
                              .retiring = true,
                              .max_unavailable = 1 };
    plan_make(&shown->world.arena, &shown->world.judge, &goal, &shown->plan);
    check(shown->plan.proven);
}

/* Fingerprints differ from run to run. */
static str without_digits(struct arena *arena, str text)
{
    char *copy = arena_alloc(arena, text.len + 1, 1);
    memcpy(copy, text.ptr, text.len);
    for (size_t i = 0; i + 8 <= text.len; i++)
        if ((i == 0 || copy[i - 1] == ' ') && str_is_hex((str){ copy + i, 8 }, 8))
            memcpy(copy + i, "########", 8);
    return (str){ copy, text.len };
}

static str text_of(struct shown *shown, struct waves_view view)
{
    char *text = NULL;
    size_t len = 0;
    view.out = open_memstream(&text, &len);
    view.judge = &shown->world.judge;
    view.plan = &shown->plan;
    waves_print(&view);
    fclose(view.out);
    str copy = without_digits(&shown->world.arena, (str){ text, len });
    free(text);
    return copy;
}

/* Line by line; the whole of it is shown where it is not as wanted. */
static void check_lines(str got, const char *const *lines, size_t count)
{
    str rest = got;
    bool same = true;
    for (size_t i = 0; i < count; i++)
        same = same && str_eq(str_cut(&rest, '\n'), str_c(lines[i]));
    if (!same || rest.len > 0)
        fail_msg("got:\n%.*s", STR_ARG(got));
}

// clang-format off
static const char *const small_plan[] = {
    "now",
    "      presents  Root  db1/postgres ########, app/app ########",
    "      trusts    Root  db1/postgres, app/app",
    "t0  4 steps, 1 state judged",
    "    snapshot  save db1/trust",
    "    snapshot  save app/trust",
    "    snapshot  save db1/server and what refers to it",
    "    snapshot  save app/client and what refers to it",
    "t1  2 steps",
    "    issue     make a new key and get a certificate for db1/server",
    "    issue     make a new key and get a certificate for app/client",
    "t2  2 steps, 4 states judged",
    "    trust     add CN=Second to db1/trust",
    "    trust     add CN=Second to app/trust",
    "    then",
    "      trusts    Root (stored: Root, Second)  db1/postgres",
    "                Root, Second                 app/app",
    "t3  1 step, 2 states judged",
    "    refresh   restart db1/postgres to load the new anchor",
    "              not there meanwhile: app/app->db1/postgres",
    "    then",
    "      trusts    Root, Second  db1/postgres, and 1 as before",
    "t4  2 steps",
    "    install   write the new db1/server beside the old",
    "    install   write the new app/client beside the old",
    "t5  2 steps, 4 states judged",
    "    switch    switch db1/server to the new files",
    "    switch    switch app/client to the new files",
    "    then",
    "      presents  Root    db1/postgres ######## (new stored)",
    "                Second  app/app new",
    "t6  1 step, 2 states judged",
    "    refresh   restart db1/postgres to load the stored certificate",
    "              not there meanwhile: app/app->db1/postgres",
    "    then",
    "      presents  Second  db1/postgres new, and 1 as before",
    "t7  1 step",
    "    hold      wait until nobody presents what CN=Root vouches for",
    "t8  2 steps, 4 states judged",
    "    distrust  remove CN=Root from db1/trust",
    "    distrust  remove CN=Root from app/trust",
    "    then",
    "      trusts    Root, Second (stored: Second)",
    "                        db1/postgres",
    "                Second  app/app",
    "t9  1 step, 2 states judged",
    "    refresh   restart db1/postgres to load what is left to trust",
    "              not there meanwhile: app/app->db1/postgres",
    "    then",
    "      trusts    Second  db1/postgres, and 1 as before",
    "t10  2 steps",
    "    verify    connect as every peer of db1/postgres",
    "    verify    connect as every peer of app/app",
};

TEST(a_small_plan_is_shown_wave_by_wave_with_everyone_by_name)
{
    struct shown shown;
    plan_new_root(&shown, &(struct world_spec){ .nodes = 1, .restart = true });
    str text = text_of(&shown, (struct waves_view){ .width = 80 });
    check_lines(text, small_plan, COUNT(small_plan));
    world_free(&shown.world);
}

static const char *const large_plan[] = {
    "now",
    "      presents  Root  all 80",
    "      trusts    Root  all 80",
    "t0  save what will be changed: 121 steps, 79 states judged",
    "    snapshot  121: db1/trust, db2/trust, db3/trust, db4/trust, and 117 more",
    "t1  get the certificates: 80 steps",
    "    issue     80: db1/server, db2/server, db3/server, db4/server, and 76 more",
    "t2  put anchors into trust stores: 41 steps, 316 states judged",
    "    trust     41: db1/trust, db2/trust, db3/trust, db4/trust, and 37 more",
    "    then",
    "      trusts    Root (stored: Root, Second)  40: db1/postgres, db2/postgres:trust,",
    "                                             db3/postgres:trust, db4/postgres:trust, and 36 more",
    "                Root, Second                 40: db2/postgres:upstream, db3/postgres:upstream,",
    "                                             db4/postgres:upstream, db5/postgres:upstream,",
    "                                             and 36 more",
    "t3 to t42  load the new anchors: 40 steps, 158 states judged",
    "    refresh   40: db2/postgres, db3/postgres, db4/postgres, db5/postgres, and 36 more",
    "    halfway, after t22",
    "      trusts    Root (stored: Root, Second)  20: db1/postgres, db22/postgres:trust,",
    "                                             db23/postgres:trust, db24/postgres:trust, and 16 more",
    "                Root, Second                 60: db2/postgres:trust, db3/postgres:trust,",
    "                                             db4/postgres:trust, db5/postgres:trust, and 56 more",
    "    then",
    "      trusts    Root, Second  all 80",
    "t43 to t164  change certificates: 200 steps, 552 states judged",
    "    install   80: db2/server, db2/client, db3/server, db3/client, and 76 more",
    "    switch    80: db2/server, db2/client, db3/server, db3/client, and 76 more",
    "    refresh   40: db2/postgres, db3/postgres, db4/postgres, db5/postgres, and 36 more",
    "    halfway, after t103",
    "      presents  Root    40: db1/postgres ########, db22/postgres:server ########,",
    "                        db23/postgres:server ########, db24/postgres:server ########, and 36 more",
    "                Second  40: db2/postgres:server new, db3/postgres:server new,",
    "                        db4/postgres:server new, db5/postgres:server new, and 36 more",
    "    then",
    "      presents  Second  all 80",
    "t165  wait: 1 step",
    "    hold      wait until nobody presents what CN=Root vouches for",
    "t166  take anchors out of trust stores: 41 steps, 316 states judged",
    "    distrust  41: db1/trust, db2/trust, db3/trust, db4/trust, and 37 more",
    "    then",
    "      trusts    Root, Second (stored: Second)",
    "                        40: db1/postgres, db2/postgres:trust, db3/postgres:trust,",
    "                        db4/postgres:trust, and 36 more",
    "                Second  40: db2/postgres:upstream, db3/postgres:upstream, db4/postgres:upstream,",
    "                        db5/postgres:upstream, and 36 more",
    "t167 to t206  let go of the old anchors: 40 steps, 158 states judged",
    "    refresh   40: db2/postgres, db3/postgres, db4/postgres, db5/postgres, and 36 more",
    "    halfway, after t186",
    "      trusts    Root, Second (stored: Second)",
    "                        20: db1/postgres, db22/postgres:trust, db23/postgres:trust,",
    "                        db24/postgres:trust, and 16 more",
    "                Second  60: db2/postgres:trust, db3/postgres:trust, db4/postgres:trust,",
    "                        db5/postgres:trust, and 56 more",
    "    then",
    "      trusts    Second  all 80",
    "t207  look at every connection on the wire: 41 steps",
    "    verify    41: db2/postgres, db3/postgres, db4/postgres, db5/postgres, and 37 more",
    "in full: reseal plan --wave all   (or the number of one wave)",
};

TEST(a_large_plan_is_shown_phase_by_phase_with_counts_and_a_few_names)
{
    struct shown shown;
    plan_new_root(&shown, &(struct world_spec){ .nodes = 40 });
    str text = text_of(&shown, (struct waves_view){ .width = 100, .in_full = "reseal plan --wave" });
    check_lines(text, large_plan, COUNT(large_plan));
    world_free(&shown.world);
}

static const char *const one_wave[] = {
    "t60  2 steps",
    "    install   write the new db14/server beside the old",
    "    install   write the new db14/client beside the old",
    "    then",
    "      presents  Root          db1/postgres ########, db14/postgres:server ########,",
    "                              db15/postgres:server ########,",
    "                              db16/postgres:server ########,",
    "                              db17/postgres:server ########,",
    "                              db18/postgres:server ########,",
    "                              db19/postgres:server ########,",
    "                              db20/postgres:server ########,",
    "                              db21/postgres:server ########,",
    "                              db14/postgres:client ########,",
    "                              db15/postgres:client ########,",
    "                              db16/postgres:client ########,",
    "                              db17/postgres:client ########,",
    "                              db18/postgres:client ########,",
    "                              db19/postgres:client ########,",
    "                              db20/postgres:client ########,",
    "                              db21/postgres:client ########, app/app ########",
    "                Second        db2/postgres:server new, db3/postgres:server new,",
    "                              db4/postgres:server new, db5/postgres:server new,",
    "                              db6/postgres:server new, db7/postgres:server new,",
    "                              db8/postgres:server new, db9/postgres:server new,",
    "                              db10/postgres:server new, db11/postgres:server new,",
    "                              db12/postgres:server new, db13/postgres:server new,",
    "                              db2/postgres:client new, db3/postgres:client new,",
    "                              db4/postgres:client new, db5/postgres:client new,",
    "                              db6/postgres:client new, db7/postgres:client new,",
    "                              db8/postgres:client new, db9/postgres:client new,",
    "                              db10/postgres:client new, db11/postgres:client new,",
    "                              db12/postgres:client new, db13/postgres:client new",
    "      trusts    Root, Second  db1/postgres, db2/postgres:trust, db3/postgres:trust,",
    "                              db4/postgres:trust, db5/postgres:trust, db6/postgres:trust,",
    "                              db7/postgres:trust, db8/postgres:trust, db9/postgres:trust,",
    "                              db10/postgres:trust, db11/postgres:trust,",
    "                              db12/postgres:trust, db13/postgres:trust,",
    "                              db14/postgres:trust, db15/postgres:trust,",
    "                              db16/postgres:trust, db17/postgres:trust,",
    "                              db18/postgres:trust, db19/postgres:trust,",
    "                              db20/postgres:trust, db21/postgres:trust,",
    "                              db2/postgres:upstream, db3/postgres:upstream,",
    "                              db4/postgres:upstream, db5/postgres:upstream,",
    "                              db6/postgres:upstream, db7/postgres:upstream,",
    "                              db8/postgres:upstream, db9/postgres:upstream,",
    "                              db10/postgres:upstream, db11/postgres:upstream,",
    "                              db12/postgres:upstream, db13/postgres:upstream,",
    "                              db14/postgres:upstream, db15/postgres:upstream,",
    "                              db16/postgres:upstream, db17/postgres:upstream,",
    "                              db18/postgres:upstream, db19/postgres:upstream,",
    "                              db20/postgres:upstream, db21/postgres:upstream, app/app",
};

TEST(one_wave_is_shown_with_every_name)
{
    struct shown shown;
    plan_new_root(&shown, &(struct world_spec){ .nodes = 21 });
    str text = text_of(&shown, (struct waves_view){ .show = WAVES_ONE, .wave = 60, .width = 90 });
    check_lines(text, one_wave, COUNT(one_wave));
    world_free(&shown.world);
}
// clang-format on

static bool has(str text, const char *part)
{
    return str_find(text, str_c(part)) < text.len;
}

TEST(of_a_renewal_by_the_same_issuer_it_is_counted_who_has_a_new_certificate)
{
    struct shown shown;
    world_make(&shown.world, &(struct world_spec){ .nodes = 30 });
    struct plan_goal goal = { .now = PKI_NOW,
                              .renew_before = 30 * PKI_DAY,
                              .lifetime = 90 * PKI_DAY,
                              .issuer = shown.world.root_id,
                              .anchor = shown.world.root_id,
                              .max_unavailable = 1 };
    plan_make(&shown.world.arena, &shown.world.judge, &goal, &shown.plan);
    str text = text_of(&shown, (struct waves_view){ .width = 100 });
    check(has(text, "halfway, after t47\n      presents  Root  all 60 (30 new)\n"));
    check(has(text, "    then\n      presents  Root  all 60\n"));
    /* Two of a batch are switched in one wave and loaded in the next. */
    shown.plan.waves.count = 4;
    text = text_of(&shown, (struct waves_view){ .width = 100 });
    check(has(text, "presents  Root  all 60 (2 with another one stored)\n"));
    world_free(&shown.world);
}

TEST(wave_by_wave_the_services_that_changed_are_named_and_the_others_counted)
{
    static const char want[] =
        "\nt34  2 steps, 4 states judged\n"
        "    switch    switch db2/server to the new files\n"
        "    switch    switch db2/client to the new files\n"
        "    then\n"
        "      presents  Root  db2/postgres:server ######## (new stored),\n"
        "                      db2/postgres:client ######## (new stored), and 58 as before\n"
        "t35  1 step, 4 states judged\n"
        "    refresh   load the stored certificate into db2/postgres\n"
        "    then\n"
        "      presents  Root    58 as before\n"
        "                Second  db2/postgres:server new, db2/postgres:client new\n"
        "t36  2 steps\n";
    struct shown shown;
    plan_new_root(&shown, &(struct world_spec){ .nodes = 30 });
    check(has(text_of(&shown, (struct waves_view){ .show = WAVES_EACH, .width = 100 }), want));
    world_free(&shown.world);
}

/* The longest line of a text. */
static size_t width_of(str text)
{
    size_t widest = 0;
    for (str rest = text; rest.len > 0;) {
        str line = str_cut(&rest, '\n');
        widest = line.len > widest ? line.len : widest;
    }
    return widest;
}

TEST(lines_are_as_wide_as_they_may_be)
{
    struct shown shown;
    plan_new_root(&shown, &(struct world_spec){ .nodes = 30 });
    static const size_t widths[] = { 80, 100, 160 };
    for (size_t i = 0; i < COUNT(widths); i++) {
        str all = text_of(&shown, (struct waves_view){ .width = widths[i] });
        str one = text_of(&shown,
                          (struct waves_view){ .show = WAVES_ONE, .wave = 90, .width = widths[i] });
        check(width_of(all) <= widths[i]);
        check(width_of(one) <= widths[i]);
    }
    world_free(&shown.world);
}

/* A plan that forgets to have the new root trusted, with or without saying so. */
static void forget_trust(struct shown *shown, bool declared)
{
    size_t kept = 0;
    for (size_t i = 0; i < shown->plan.waves.count; i++) {
        struct step *first = &shown->plan.steps.items[shown->plan.waves.items[i].steps.items[0]];
        if (first->kind != STEP_trust && first->kind != STEP_distrust)
            shown->plan.waves.items[kept++] = shown->plan.waves.items[i];
        if (first->kind != STEP_switch || !declared)
            continue;
        first->why = S("the new root is trusted by nobody");
        list_push(&shown->world.arena, &first->refused) = S("app/app->db1/postgres");
    }
    shown->plan.waves.count = kept;
    plan_prove(&shown->world.arena, &shown->world.judge, PKI_NOW, &shown->plan);
}

TEST(a_link_that_fails_is_shown_with_its_reason_declared_or_not)
{
    for (size_t nodes = 1; nodes < 60; nodes += 40) {
        struct shown shown;
        plan_new_root(&shown, &(struct world_spec){ .nodes = nodes });
        forget_trust(&shown, false);
        str text = text_of(&shown, (struct waves_view){ .width = 100 });
        check(has(text, nodes == 1 ? ", 1 link BROKEN\n" : ", 81 links BROKEN\n"));
        check(has(text, nodes == 1 ? "    BREAKS    app/app->db1/postgres: app/app refuses "
                                   : "    BREAKS    77 more links\n"));
        forget_trust(&shown, true);
        text = text_of(&shown, (struct waves_view){ .width = 100 });
        check(has(text, "              REFUSED meanwhile: app/app->db1/postgres\n"));
        check(has(text, "because the new root is trusted by nobody\n"));
        world_free(&shown.world);
    }
}
