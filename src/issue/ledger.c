/* SPDX-License-Identifier: Apache-2.0 */
#include "issue/ledger.h"

#include "base/emit.h"
#include "base/io.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <limits.h>
#include <openssl/evp.h>
#include <sys/file.h>
#include <sys/stat.h>

DEFINE_AUTO(json, json_t *, json_decref(*handle))

str ledger_path(struct arena *arena, const char *certificate_path)
{
    return io_join(arena, io_dir_of(arena, str_c(certificate_path)), S("ledger.jsonl"));
}

static str base64(struct arena *arena, str bytes)
{
    unsigned char *text = arena_alloc(arena, bytes.len / 3 + 2, 4);
    int len = EVP_EncodeBlock(text, (const unsigned char *)bytes.ptr, (int)bytes.len);
    return (str){ (const char *)text, (size_t)len };
}

static bool unbase64(struct arena *arena, str text, str *ret_bytes)
{
    size_t padding = str_ends(text, S("==")) ? 2 : str_ends(text, S("="));
    unsigned char *bytes = arena_alloc(arena, text.len + 1, 1);
    if (text.len == 0 || text.len > INT_MAX)
        return false;
    int len = EVP_DecodeBlock(bytes, (const unsigned char *)text.ptr, (int)text.len);
    if (len < 0 || (size_t)len < padding)
        return false;
    *ret_bytes = (str){ (const char *)bytes, (size_t)len - padding };
    return true;
}

static bool text_of(struct arena *arena, const json_t *object, const char *name, str *ret_text)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value))
        return false;
    *ret_text = str_copy(arena, (str){ json_string_value(value), json_string_length(value) });
    return true;
}

static bool moment_of(struct arena *arena, const json_t *object, const char *name, moment *ret_at)
{
    str text;
    return text_of(arena, object, name, &text) && clock_parse(text, ret_at);
}

static bool parse_line(struct arena *arena, str line, struct ledger_entry *ret_entry)
{
    AUTO(json) json_t *object = json_loadb(line.ptr, line.len, JSON_REJECT_DUPLICATES, NULL);
    struct ledger_entry entry = { 0 };
    str encoded;
    if (!moment_of(arena, object, "time", &entry.time) ||
        !text_of(arena, object, "step", &entry.step) ||
        !text_of(arena, object, "serial", &entry.serial) ||
        !text_of(arena, object, "subject", &entry.subject) ||
        !text_of(arena, object, "sha256", &entry.sha256) ||
        !text_of(arena, object, "spki_sha256", &entry.spki_sha256) ||
        !moment_of(arena, object, "not_before", &entry.not_before) ||
        !moment_of(arena, object, "not_after", &entry.not_after) ||
        !text_of(arena, object, "certificate", &encoded) ||
        !unbase64(arena, encoded, &entry.certificate))
        return false;
    size_t i;
    json_t *name;
    json_array_foreach(json_object_get(object, "san"), i, name) list_push(arena, &entry.san) =
        str_copy(arena, (str){ json_string_value(name), json_string_length(name) });
    *ret_entry = entry;
    return true;
}

static void parse_lines(struct arena *arena, str text, struct ledger *ledger)
{
    for (size_t number = 1; text.len > 0; number++) {
        str line = str_cut(&text, '\n');
        struct ledger_entry entry;
        if (line.len == 0)
            continue;
        if (parse_line(arena, line, &entry)) {
            list_push(arena, &ledger->entries) = entry;
        } else {
            ledger->damaged++;
            ledger->damaged_line = number;
        }
    }
}

bool ledger_read(struct arena *arena, const char *path, struct ledger *ret_ledger, struct err *err)
{
    str text;
    *ret_ledger = (struct ledger){ 0 };
    if (access(path, F_OK) < 0 && errno == ENOENT)
        return true;
    if (!io_read(arena, path, IO_FILE_MAX, &text, err))
        return err_wrap(err, "ledger");
    parse_lines(arena, text, ret_ledger);
    return true;
}

const struct ledger_entry *ledger_find(const struct ledger *ledger, str spki_sha256, str step,
                                       moment now)
{
    for (size_t i = ledger->entries.count; i-- > 0;) {
        const struct ledger_entry *entry = &ledger->entries.items[i];
        if (str_eq(entry->spki_sha256, spki_sha256) && str_eq(entry->step, step) &&
            entry->not_after >= now)
            return entry;
    }
    return NULL;
}

bool ledger_lock(const char *path, int *ret_fd, struct err *err)
{
    AUTO(fd) int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return err_errno(err, "ledger %s", path);
    while (flock(fd, LOCK_EX) < 0)
        if (errno != EINTR)
            return err_errno(err, "lock ledger %s", path);
    /* Its name must survive as well as its lines do. */
    if (!io_sync_dir_of(path, err))
        return false;
    *ret_fd = fd;
    fd = -1;
    return true;
}

static str line_of(struct arena *arena, const struct ledger_entry *entry)
{
    str encoded = base64(arena, entry->certificate);
    /* Six bytes for one is the longest that JSON makes of a text. */
    size_t room = 1024 + encoded.len + 6 * (entry->step.len + entry->subject.len);
    for (size_t i = 0; i < entry->san.count; i++)
        room += 16 + 6 * entry->san.items[i].len;
    char *line = arena_alloc(arena, room, 1);
    FILE *out = fmemopen(line, room, "w");
    struct emit emit = { .out = out, .one_line = true };
    emit_object(&emit, NULL);
    emit_moment(&emit, "time", entry->time);
    emit_str(&emit, "step", entry->step);
    emit_str(&emit, "serial", entry->serial);
    emit_str(&emit, "subject", entry->subject);
    emit_list(&emit, "san", &entry->san);
    emit_str(&emit, "sha256", entry->sha256);
    emit_str(&emit, "spki_sha256", entry->spki_sha256);
    emit_moment(&emit, "not_before", entry->not_before);
    emit_moment(&emit, "not_after", entry->not_after);
    emit_str(&emit, "certificate", encoded);
    emit_object_end(&emit);
    emit_end(&emit);
    long len = ftell(out);
    fclose(out);
    return (str){ line, (size_t)len };
}

/* Whether the last line was cut short: then ours needs a line of its own. */
static bool ends_inside_a_line(int fd)
{
    struct stat st;
    char last = '\n';
    return fstat(fd, &st) == 0 && st.st_size > 0 && pread(fd, &last, 1, st.st_size - 1) == 1 &&
           last != '\n';
}

bool ledger_append(int fd, const struct ledger_entry *entry, struct err *err)
{
    AUTO(arena) struct arena arena = { 0 };
    str line = line_of(&arena, entry);
    if (ends_inside_a_line(fd))
        line = str_printf(&arena, "\n%.*s", STR_ARG(line));
    if (!io_write_all(fd, line, err))
        return err_wrap(err, "ledger");
    return fsync(fd) == 0 || err_errno(err, "sync ledger");
}
