/* SPDX-License-Identifier: Apache-2.0 */
#include "state/journal.h"

#include "tests/test.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

static str folder(struct arena *arena)
{
    char dir[] = "/tmp/reseal-journal-XXXXXX";
    test_dir(dir);
    return str_copy(arena, str_c(dir));
}

static struct journal_apply example(const char *cluster)
{
    return (struct journal_apply){ .cluster_id = str_c(cluster),
                                   .cluster_name = S("orders"),
                                   .token = 3,
                                   .plan = S("{\"steps\":[]}"),
                                   .started = 100,
                                   .host = S("db1"),
                                   .pid = 42 };
}

TEST(what_an_apply_did_is_read_back_in_order)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    AUTO(journal) struct journal *journal = NULL;
    str dir = folder(&arena);
    check_ok(journal_open(dir, &journal, &err), &err);
    struct journal_apply apply = example("c1"), other = example("c2"), back;
    check_ok(journal_begin(journal, &apply, &err), &err);
    check_ok(journal_begin(journal, &other, &err), &err);
    struct journal_event started = { S("s1"), JOURNAL_STARTED, 101, S("") };
    struct journal_event undone = { S("s1"), JOURNAL_UNDONE, 101, S("put back") };
    check_ok(journal_step(journal, apply.id, &started, &err), &err);
    check_ok(journal_step(journal, apply.id, &undone, &err), &err);

    bool found;
    check_ok(journal_unfinished(&arena, journal, S("c1"), &found, &back, &err), &err);
    check(found);
    check_int(back.id, apply.id);
    check_str(back.plan, apply.plan);
    check_ok(journal_end(journal, apply.id, 105, S("done"), &err), &err);
    check_ok(journal_unfinished(&arena, journal, S("c1"), &found, &back, &err), &err);
    check(!found);

    journal_event_list events;
    check_ok(journal_events(&arena, journal, apply.id, &events, &err), &err);
    check_int(events.count, 2);
    check_int(events.items[1].state, JOURNAL_UNDONE);
    check_str(events.items[1].evidence, S("put back"));
    journal_apply_list applies;
    check_ok(journal_list(&arena, journal, S(""), &applies, &err), &err);
    check_int(applies.count, 2);
    check_int(applies.items[0].id, other.id);
    check_int(applies.items[1].ended, 105);
    check(!journal_end(journal, 99, 1, S("done"), &err));
    check_int(err.kind, ERR_USAGE);
}

TEST(a_step_that_waits_does_so_since_it_first_did_until_something_else_becomes_of_it)
{
    const struct journal_event events[] = {
        {S("s1"),  JOURNAL_PLANNED, 100, S("issue")       },
        { S("s2"), JOURNAL_PLANNED, 100, S("trust")       },
        { S("s1"), JOURNAL_STARTED, 101, S("")            },
        { S("s1"), JOURNAL_WAITING, 102, S("for a ticket")},
        { S("s2"), JOURNAL_STARTED, 103, S("")            },
        { S("s2"), JOURNAL_DONE,    104, S("written")     },
        { S("s1"), JOURNAL_STARTED, 201, S("")            },
        { S("s1"), JOURNAL_WAITING, 202, S("for it still")},
        { S("s1"), JOURNAL_STARTED, 301, S("")            },
        { S("s1"), JOURNAL_DONE,    302, S("in hand")     },
        { S("s1"), JOURNAL_STARTED, 401, S("")            },
        { S("s1"), JOURNAL_WAITING, 402, S("once more")   },
    };
    const struct {
        size_t events;
        struct journal_standing s1, s2;
    } cases[] = {
        {1,              { S("s1"), JOURNAL_PLANNED, 100, S("issue") }, { S(""), JOURNAL_PLANNED, 0, S("") }},
        { 3,
         { S("s1"), JOURNAL_PLANNED, 100, S("issue") },
         { S("s2"), JOURNAL_PLANNED, 100, S("trust") }                                                      },
        { 7,
         { S("s1"), JOURNAL_WAITING, 102, S("for a ticket") },
         { S("s2"), JOURNAL_DONE, 104, S("written") }                                                       },
        { 9,
         { S("s1"), JOURNAL_WAITING, 102, S("for it still") },
         { S("s2"), JOURNAL_DONE, 104, S("written") }                                                       },
        { 10,
         { S("s1"), JOURNAL_DONE, 302, S("in hand") },
         { S("s2"), JOURNAL_DONE, 104, S("written") }                                                       },
        { COUNT(events),
         { S("s1"), JOURNAL_WAITING, 402, S("once more") },
         { S("s2"), JOURNAL_DONE, 104, S("written") }                                                       },
    };
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        AUTO(journal) struct journal *journal = NULL;
        struct journal_apply apply = example("c1");
        check_ok(journal_open(folder(&arena), &journal, &err), &err);
        check_ok(journal_begin(journal, &apply, &err), &err);
        for (size_t k = 0; k < cases[i].events; k++)
            check_ok(journal_step(journal, apply.id, &events[k], &err), &err);
        journal_standing_list standings;
        check_ok(journal_standings(&arena, journal, apply.id, &standings, &err), &err);
        const struct journal_standing *want[] = { &cases[i].s1, &cases[i].s2 };
        check_int(standings.count, cases[i].s2.step.len == 0 ? 1 : 2);
        for (size_t k = 0; k < standings.count; k++) {
            check_str(standings.items[k].step, want[k]->step);
            check_int(standings.items[k].state, want[k]->state);
            check_int(standings.items[k].since, want[k]->since);
            check_str(standings.items[k].evidence, want[k]->evidence);
        }
    }
}

TEST(only_the_owner_can_read_the_journal)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    AUTO(journal) struct journal *journal = NULL;
    str dir = folder(&arena);
    check_ok(journal_open(dir, &journal, &err), &err);
    static const char *const names[] = { "journal.sqlite", "journal.sqlite-wal" };
    for (size_t i = 0; i < COUNT(names); i++) {
        struct stat st;
        check_int(stat(str_printf(&arena, "%s/%s", dir.ptr, names[i]).ptr, &st), 0);
        check_int(st.st_mode & 0777, 0600);
    }
}

TEST(a_journal_survives_a_writer_that_is_killed_in_mid_transaction)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    str dir = folder(&arena);
    int ready[2];
    check_int(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        struct journal *journal = NULL;
        struct journal_apply apply = example("c1");
        struct journal_event event = { S("kept"), JOURNAL_DONE, 1, S("") };
        if (!journal_open(dir, &journal, &err) || !journal_begin(journal, &apply, &err) ||
            !journal_step(journal, apply.id, &event, &err))
            _exit(1);
        /* Half a transaction: written to the file, never committed. */
        sqlite3 *db = NULL;
        sqlite3_open(str_printf(&arena, "%s/journal.sqlite", dir.ptr).ptr, &db);
        sqlite3_exec(db,
                     "PRAGMA cache_size = 1; PRAGMA cache_spill = 1; BEGIN IMMEDIATE;"
                     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 5000)"
                     "INSERT INTO event (apply, step, state, at, evidence)"
                     " SELECT 1, 'lost', 'done', i, hex(zeroblob(100)) FROM n",
                     NULL, NULL, NULL);
        if (write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    char byte;
    close(ready[1]);
    check_int(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    kill(pid, SIGKILL);
    check_int(waitpid(pid, NULL, 0), pid);

    AUTO(journal) struct journal *journal = NULL;
    journal_event_list events;
    bool found;
    struct journal_apply apply;
    check_ok(journal_open(dir, &journal, &err), &err);
    check_ok(journal_unfinished(&arena, journal, S("c1"), &found, &apply, &err), &err);
    check(found);
    check_ok(journal_events(&arena, journal, apply.id, &events, &err), &err);
    check_int(events.count, 1);
    check_str(events.items[0].step, S("kept"));
}

/* Another process's part: one apply, begun and ended. */
static bool write_one(struct arena *arena, str dir)
{
    AUTO(err) struct err err = { 0 };
    AUTO(journal) struct journal *journal = NULL;
    struct journal_apply apply = example("c2");
    (void)arena;
    return journal_open(dir, &journal, &err) && journal_begin(journal, &apply, &err) &&
           journal_end(journal, apply.id, 105, S("done"), &err);
}

/* A third one's: both are there, and both are done. */
static bool sees_both(struct arena *arena, str dir)
{
    AUTO(err) struct err err = { 0 };
    AUTO(journal) struct journal *journal = NULL;
    journal_apply_list applies;
    return journal_open(dir, &journal, &err) &&
           journal_list(arena, journal, S(""), &applies, &err) && applies.count == 2 &&
           str_eq(applies.items[0].outcome, S("done")) &&
           str_eq(applies.items[1].outcome, S("done"));
}

/* A process of its own that plays its part when it is told to; started before SQLite is used, which
   a fork would otherwise inherit. */
struct player {
    pid_t pid;
    int go;
};

static struct player player(str dir, bool (*part)(struct arena *arena, str dir))
{
    AUTO(arena) struct arena arena = { 0 };
    int go[2];
    char byte;
    check(pipe(go) == 0);
    struct player player = { fork(), go[1] };
    if (player.pid == 0)
        _exit(read(go[0], &byte, 1) == 1 && part(&arena, dir) ? 0 : 1);
    close(go[0]);
    return player;
}

static bool play(struct player player)
{
    int status = 1;
    check(write(player.go, "", 1) == 1);
    close(player.go);
    return waitpid(player.pid, &status, 0) == player.pid && status == 0;
}

TEST(another_process_that_comes_and_goes_takes_nothing_from_one_that_stays)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    AUTO(journal) struct journal *journal = NULL;
    str dir = folder(&arena);
    struct journal_apply apply = example("c1");
    struct player second = player(dir, write_one), third = player(dir, sees_both);
    check_ok(journal_open(dir, &journal, &err), &err);
    check_ok(journal_begin(journal, &apply, &err), &err);
    check(play(second));
    check_ok(journal_end(journal, apply.id, 106, S("done"), &err), &err);
    check(play(third));
}

TEST(a_file_that_is_another_programs_or_a_newer_reseals_is_refused)
{
    static const char *const makes[] = { "PRAGMA user_version = 1", "PRAGMA application_id = 5",
                                         ("PRAGMA application_id = 1920165228;"
                                          "PRAGMA user_version = 99") };
    static const enum err_kind kinds[] = { ERR_FORMAT, ERR_FORMAT, ERR_REFUSED };
    for (size_t i = 0; i < COUNT(makes); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        AUTO(journal) struct journal *journal = NULL;
        str dir = folder(&arena);
        sqlite3 *db = NULL;
        sqlite3_open(str_printf(&arena, "%s/journal.sqlite", dir.ptr).ptr, &db);
        check_int(sqlite3_exec(db, makes[i], NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        check(!journal_open(dir, &journal, &err));
        check_int(err.kind, kinds[i]);
    }
}
