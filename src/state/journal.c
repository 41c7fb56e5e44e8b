/* SPDX-License-Identifier: Apache-2.0 */
#include "state/journal.h"

#include "base/io.h"

#include <fcntl.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

enum {
    APPLICATION_ID = 0x7273656c, /* "rsel" */
    BUSY_MS = 10 * 1000,
    WAL_WRITE_LOCK =
        120, /* the byte of the -shm file that a writer locks (sqlite.org/walformat.html) */
    LOCKS_MAX = 16 << 20,
};

struct journal {
    sqlite3 *db;
    struct arena arena; /* owns this struct */
};

DEFINE_AUTO(stmt, sqlite3_stmt *, sqlite3_finalize(*handle))

static const char *const state_names[] = {
#define JOURNAL_NAME(id, name) [JOURNAL_##id] = name,
    JOURNAL_STATES(JOURNAL_NAME)
#undef JOURNAL_NAME
};

const char *journal_state_name(enum journal_state state)
{
    return state_names[state];
}

/* Row n brings a journal of user_version n to n + 1; rows are only ever added. */
static const char *const migrations[] = {
    "CREATE TABLE apply (id INTEGER PRIMARY KEY, cluster_id TEXT NOT NULL,"
    " cluster_name TEXT NOT NULL, token INTEGER NOT NULL, plan TEXT NOT NULL,"
    " started INTEGER NOT NULL, ended INTEGER, outcome TEXT, host TEXT NOT NULL,"
    " pid INTEGER NOT NULL) STRICT;"
    "CREATE TABLE event (id INTEGER PRIMARY KEY, apply INTEGER NOT NULL REFERENCES apply,"
    " step TEXT NOT NULL, state TEXT NOT NULL CHECK (state IN ('planned', 'started', 'done',"
    " 'verified', 'failed', 'uncertain', 'waiting', 'undone')), at INTEGER NOT NULL,"
    " evidence TEXT NOT NULL) STRICT;"
    "CREATE INDEX apply_cluster ON apply (cluster_id, id);"
    "CREATE INDEX event_apply ON event (apply, id);",
    "ALTER TABLE apply ADD COLUMN snapshot TEXT NOT NULL DEFAULT '';"
    "ALTER TABLE apply ADD COLUMN undoes TEXT NOT NULL DEFAULT '';",
};

/* The process that is writing, or 0. /proc/locks is asked, since fcntl() needs the file opened, and
   closing it would give up SQLite's own locks on it. */
static int writer_of(sqlite3 *db)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct stat st;
    str locks;
    str shm = str_printf(&arena, "%s-shm", sqlite3_db_filename(db, "main"));
    if (stat(shm.ptr, &st) < 0 || !io_read(&arena, "/proc/locks", LOCKS_MAX, &locks, &err))
        return 0;
    str write_lock = str_printf(&arena, " %02x:%02x:%ju %d ", major(st.st_dev), minor(st.st_dev),
                                (uintmax_t)st.st_ino, WAL_WRITE_LOCK);
    while (locks.len > 0) {
        str line = str_cut(&locks, '\n');
        str before = { line.ptr, str_find(line, write_lock) };
        uint64_t pid;
        if (before.len == line.len)
            continue;
        while (before.len > 0 && !str_to_u64(before, INT_MAX, &pid))
            str_cut(&before, ' ');
        return before.len > 0 ? (int)pid : 0;
    }
    return 0;
}

static bool db_fail(sqlite3 *db, const char *what, struct err *err)
{
    if (sqlite3_errcode(db) != SQLITE_BUSY)
        return err_set(err, ERR_SYSTEM, "journal: %s: %s", what, sqlite3_errmsg(db));
    int writer = writer_of(db);
    if (writer == 0)
        return err_set(err, ERR_TIMEOUT, "journal: %s: %s", what, sqlite3_errmsg(db));
    err_set(err, ERR_TIMEOUT, "journal: process %d has been writing to it for %d seconds", writer,
            BUSY_MS / 1000);
    return err_next(err, "ps -o pid,stat,lstart,args -p %d", writer);
}

static bool run_sql(sqlite3 *db, const char *sql, struct err *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK || db_fail(db, "write", err);
}

static bool prepare(sqlite3 *db, const char *sql, sqlite3_stmt **ret_stmt, struct err *err)
{
    return sqlite3_prepare_v2(db, sql, -1, ret_stmt, NULL) == SQLITE_OK ||
           db_fail(db, "prepare", err);
}

static bool pragma_int(sqlite3 *db, const char *sql, int *ret_number, struct err *err)
{
    AUTO(stmt) sqlite3_stmt *stmt = NULL;
    if (!prepare(db, sql, &stmt, err))
        return false;
    if (sqlite3_step(stmt) != SQLITE_ROW)
        return db_fail(db, "read", err);
    *ret_number = sqlite3_column_int(stmt, 0);
    return true;
}

static bool migrate(struct journal *journal, struct err *err)
{
    int version, application;
    if (!pragma_int(journal->db, "PRAGMA application_id", &application, err) ||
        !pragma_int(journal->db, "PRAGMA user_version", &version, err))
        return false;
    if (application != APPLICATION_ID && (application != 0 || version != 0))
        return err_set(err, ERR_FORMAT, "journal: not a journal of reseal");
    if (version > (int)COUNT(migrations))
        return err_set(err, ERR_REFUSED, "journal: written by a newer reseal (version %d)",
                       version);
    for (; version < (int)COUNT(migrations); version++) {
        str pragmas =
            str_printf(&journal->arena, "PRAGMA application_id = %d; PRAGMA user_version = %d;",
                       APPLICATION_ID, version + 1);
        if (!run_sql(journal->db, migrations[version], err) ||
            !run_sql(journal->db, pragmas.ptr, err))
            return false;
    }
    return true;
}

static bool set_up(struct journal *journal, struct err *err)
{
    sqlite3_busy_timeout(journal->db, BUSY_MS);
    return run_sql(journal->db,
                   "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;"
                   "PRAGMA foreign_keys = ON; BEGIN IMMEDIATE;",
                   err) &&
           migrate(journal, err) && run_sql(journal->db, "COMMIT", err);
}

/* SQLite gives its side files the permissions of the main one. Closed before SQLite opens it: a
   process loses its locks on a file with the first descriptor that it closes (POSIX, fcntl()), and
   the next process that ends would take the write-ahead log away. */
static bool make_file(const char *path, struct err *err)
{
    AUTO(fd) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    return fd >= 0 || err_errno(err, "%s", path);
}

bool journal_open(str state, struct journal **ret_journal, struct err *err)
{
    struct arena arena = { 0 };
    AUTO(journal) struct journal *journal = arena_new(&arena, struct journal);
    journal->arena = arena;
    str path = io_join(&journal->arena, state, S("journal.sqlite"));
    if (!make_file(path.ptr, err))
        return false;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOFOLLOW;
    if (sqlite3_open_v2(path.ptr, &journal->db, flags, NULL) != SQLITE_OK)
        return err_set(err, ERR_SYSTEM, "%s: %s", path.ptr, sqlite3_errmsg(journal->db));
    if (!set_up(journal, err))
        return err_where(err, "%s", path.ptr);
    *ret_journal = TAKE(journal);
    return true;
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    sqlite3_close(journal->db);
    struct arena arena = journal->arena;
    arena_free(&arena);
}

static void bind_str(sqlite3_stmt *stmt, int at, str text)
{
    sqlite3_bind_text(stmt, at, text.ptr == NULL ? "" : text.ptr, (int)text.len, SQLITE_TRANSIENT);
}

static bool finish(sqlite3 *db, sqlite3_stmt *stmt, struct err *err)
{
    return sqlite3_step(stmt) == SQLITE_DONE || db_fail(db, "write", err);
}

bool journal_begin(struct journal *journal, struct journal_apply *apply, struct err *err)
{
    AUTO(stmt) sqlite3_stmt *stmt = NULL;
    if (!prepare(journal->db,
                 "INSERT INTO apply (cluster_id, cluster_name, token, plan, started, host, pid,"
                 " snapshot, undoes) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                 &stmt, err))
        return false;
    bind_str(stmt, 1, apply->cluster_id);
    bind_str(stmt, 2, apply->cluster_name);
    sqlite3_bind_int64(stmt, 3, apply->token);
    bind_str(stmt, 4, apply->plan);
    sqlite3_bind_int64(stmt, 5, apply->started);
    bind_str(stmt, 6, apply->host);
    sqlite3_bind_int64(stmt, 7, apply->pid);
    bind_str(stmt, 8, apply->snapshot);
    bind_str(stmt, 9, apply->undoes);
    if (!finish(journal->db, stmt, err))
        return false;
    apply->id = sqlite3_last_insert_rowid(journal->db);
    return true;
}

bool journal_step(struct journal *journal, int64_t apply, const struct journal_event *event,
                  struct err *err)
{
    AUTO(stmt) sqlite3_stmt *stmt = NULL;
    if (!prepare(journal->db,
                 "INSERT INTO event (apply, step, state, at, evidence) VALUES (?, ?, ?, ?, ?)",
                 &stmt, err))
        return false;
    sqlite3_bind_int64(stmt, 1, apply);
    bind_str(stmt, 2, event->step);
    bind_str(stmt, 3, str_c(journal_state_name(event->state)));
    sqlite3_bind_int64(stmt, 4, event->at);
    bind_str(stmt, 5, event->evidence);
    return finish(journal->db, stmt, err);
}

bool journal_end(struct journal *journal, int64_t apply, moment at, str outcome, struct err *err)
{
    AUTO(stmt) sqlite3_stmt *stmt = NULL;
    if (!prepare(journal->db, "UPDATE apply SET ended = ?, outcome = ? WHERE id = ?", &stmt, err))
        return false;
    sqlite3_bind_int64(stmt, 1, at);
    bind_str(stmt, 2, outcome);
    sqlite3_bind_int64(stmt, 3, apply);
    if (!finish(journal->db, stmt, err))
        return false;
    return sqlite3_changes(journal->db) == 1 ||
           err_set(err, ERR_USAGE, "journal: there is no apply %lld", (long long)apply);
}

static str column(struct arena *arena, sqlite3_stmt *stmt, int at)
{
    const char *text = (const char *)sqlite3_column_text(stmt, at);
    return str_copy(arena, (str){ text, (size_t)sqlite3_column_bytes(stmt, at) });
}

#define APPLY_COLUMNS                                                                    \
    "id, cluster_id, cluster_name, token, started, ended, outcome, host, pid, snapshot," \
    " undoes"

static struct journal_apply apply_row(struct arena *arena, sqlite3_stmt *stmt)
{
    return (struct journal_apply){
        .id = sqlite3_column_int64(stmt, 0),
        .cluster_id = column(arena, stmt, 1),
        .cluster_name = column(arena, stmt, 2),
        .token = sqlite3_column_int64(stmt, 3),
        .started = sqlite3_column_int64(stmt, 4),
        .ended = sqlite3_column_int64(stmt, 5),
        .outcome = column(arena, stmt, 6),
        .host = column(arena, stmt, 7),
        .pid = sqlite3_column_int(stmt, 8),
        .snapshot = column(arena, stmt, 9),
        .undoes = column(arena, stmt, 10),
    };
}

bool journal_list(struct arena *arena, struct journal *journal, str cluster_id,
                  journal_apply_list *ret_applies, struct err *err)
{
    AUTO(stmt) sqlite3_stmt *stmt = NULL;
    *ret_applies = (journal_apply_list){ 0 };
    if (!prepare(journal->db,
                 "SELECT " APPLY_COLUMNS " FROM apply WHERE ?1 = '' OR cluster_id = ?1"
                 " ORDER BY id DESC",
                 &stmt, err))
        return false;
    bind_str(stmt, 1, cluster_id);
    int step;
    while ((step = sqlite3_step(stmt)) == SQLITE_ROW)
        list_push(arena, ret_applies) = apply_row(arena, stmt);
    return step == SQLITE_DONE || db_fail(journal->db, "read", err);
}

bool journal_get(struct arena *arena, struct journal *journal, int64_t apply,
                 struct journal_apply *ret_apply, struct err *err)
{
    AUTO(stmt) sqlite3_stmt *stmt = NULL;
    if (!prepare(journal->db, "SELECT " APPLY_COLUMNS ", plan FROM apply WHERE id = ?", &stmt, err))
        return false;
    sqlite3_bind_int64(stmt, 1, apply);
    int step = sqlite3_step(stmt);
    if (step == SQLITE_DONE)
        return err_set(err, ERR_USAGE, "journal: there is no apply %lld", (long long)apply);
    if (step != SQLITE_ROW)
        return db_fail(journal->db, "read", err);
    *ret_apply = apply_row(arena, stmt);
    ret_apply->plan = column(arena, stmt, 11);
    return true;
}

static enum journal_state state_of(str name)
{
    int state = 0;
    while (state < JOURNAL_STATE_COUNT - 1 && !str_eq(str_c(state_names[state]), name))
        state++;
    return (enum journal_state)state;
}

bool journal_events(struct arena *arena, struct journal *journal, int64_t apply,
                    journal_event_list *ret_events, struct err *err)
{
    AUTO(stmt) sqlite3_stmt *stmt = NULL;
    *ret_events = (journal_event_list){ 0 };
    if (!prepare(journal->db,
                 "SELECT step, state, at, evidence FROM event WHERE apply = ?"
                 " ORDER BY id",
                 &stmt, err))
        return false;
    sqlite3_bind_int64(stmt, 1, apply);
    int step;
    while ((step = sqlite3_step(stmt)) == SQLITE_ROW)
        list_push(arena, ret_events) = (struct journal_event){
            .step = column(arena, stmt, 0),
            .state = state_of(column(arena, stmt, 1)),
            .at = sqlite3_column_int64(stmt, 2),
            .evidence = column(arena, stmt, 3),
        };
    return step == SQLITE_DONE || db_fail(journal->db, "read", err);
}

static struct journal_standing *standing_of(struct arena *arena, journal_standing_list *standings,
                                            const struct journal_event *event)
{
    for (size_t i = 0; i < standings->count; i++)
        if (str_eq(standings->items[i].step, event->step))
            return &standings->items[i];
    struct journal_standing *standing = &list_push(arena, standings);
    *standing =
        (struct journal_standing){ event->step, JOURNAL_PLANNED, event->at, event->evidence };
    return standing;
}

bool journal_standings(struct arena *arena, struct journal *journal, int64_t apply,
                       journal_standing_list *ret_standings, struct err *err)
{
    journal_event_list events;
    *ret_standings = (journal_standing_list){ 0 };
    if (!journal_events(arena, journal, apply, &events, err))
        return false;
    for (size_t i = 0; i < events.count; i++) {
        const struct journal_event *event = &events.items[i];
        struct journal_standing *standing = standing_of(arena, ret_standings, event);
        if (event->state == JOURNAL_STARTED)
            continue;
        if (standing->state != event->state)
            standing->since = event->at;
        standing->state = event->state;
        standing->evidence = event->evidence;
    }
    return true;
}

bool journal_unfinished(struct arena *arena, struct journal *journal, str cluster_id,
                        bool *ret_found, struct journal_apply *ret_apply, struct err *err)
{
    AUTO(stmt) sqlite3_stmt *stmt = NULL;
    if (!prepare(journal->db,
                 "SELECT id FROM apply WHERE cluster_id = ? AND ended IS NULL"
                 " ORDER BY id DESC LIMIT 1",
                 &stmt, err))
        return false;
    bind_str(stmt, 1, cluster_id);
    int step = sqlite3_step(stmt);
    *ret_found = step == SQLITE_ROW;
    if (step == SQLITE_DONE)
        return true;
    if (step != SQLITE_ROW)
        return db_fail(journal->db, "read", err);
    return journal_get(arena, journal, sqlite3_column_int64(stmt, 0), ret_apply, err);
}
