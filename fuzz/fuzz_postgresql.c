/* SPDX-License-Identifier: Apache-2.0 */
/* Covers src/system/postgresql/conf.c src/system/postgresql/hba.c */
/* Covers src/system/postgresql/conninfo.c src/system/postgresql/discover.c */
/*
 * PostgreSQL's files: read, and edited without losing a setting. The whole input is each of them
 * in turn; a server's folder is made of its parts, each headed by a line "#: NAME".
 */
#include "system/postgresql/conninfo.h"
#include "system/postgresql/discover.h"
#include "system/postgresql/hba.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct file {
    str path, text;
};
struct folder {
    LIST(struct file) files;
};

static bool read_file(void *context, struct arena *arena, str path, str *ret_text, struct err *err)
{
    const struct folder *folder = context;
    (void)arena;
    for (size_t i = 0; i < folder->files.count; i++) {
        if (!str_eq(folder->files.items[i].path, path))
            continue;
        *ret_text = folder->files.items[i].text;
        return true;
    }
    return err_set(err, ERR_SYSTEM, "no such file");
}

static bool list_files(void *context, struct arena *arena, str path, str_list *ret_names,
                       struct err *err)
{
    const struct folder *folder = context;
    (void)err;
    for (size_t i = 0; i < folder->files.count; i++) {
        str file = folder->files.items[i].path;
        if (str_starts(file, path) && str_ends(file, S(".conf")) && file.len > path.len + 1)
            list_push(arena, ret_names) = (str){ file.ptr + path.len + 1, file.len - path.len - 1 };
    }
    return true;
}

/* What stands before the first heading is postgresql.conf; a file is its last part. */
static void split(struct arena *arena, str text, struct folder *folder)
{
    struct file file = {
        S("/d/postgresql.conf"), {text.ptr, 0}
    };
    while (text.len > 0) {
        str line = str_cut(&text, '\n');
        if (!str_starts(line, S("#: "))) {
            file.text.len = (size_t)(line.ptr + line.len - file.text.ptr);
            continue;
        }
        list_push(arena, &folder->files) = file;
        file.path = str_printf(arena, "/d/%.*s", (int)line.len - 3, line.ptr + 3);
        file.text = (str){ text.ptr, 0 };
    }
    list_push(arena, &folder->files) = file;
}

static void read_server(struct arena *arena, str text)
{
    AUTO(err) struct err err = { 0 };
    struct folder folder = { 0 };
    struct pgconf_source source = { .context = &folder, .read = read_file, .list = list_files };
    struct node_conf node = { .name = S("db1"), .data = S("/d") };
    struct node_conf debian = { .name = S("db1"), .config = S("/d/postgresql.conf"), .port = 1 };
    struct cluster fragment;
    split(arena, text, &folder);
    if (pg_discover(arena, &source, &node, &fragment, &err))
        assert(fragment.nodes.count == 1 && fragment.nodes.items[0].services.count == 1);
    err_clear(&err);
    bool ok = pg_discover(arena, &source, &debian, &fragment, &err);
    assert(ok == (err.kind == ERR_NONE));
}

static bool read_conf(struct arena *arena, str text, struct pgconf *conf)
{
    AUTO(err) struct err err = { 0 };
    struct folder folder = { 0 };
    struct pgconf_source source = { .context = &folder, .read = read_file, .list = list_files };
    /* The one file there is, so that an include finds itself. */
    list_push(arena, &folder.files) = (struct file){ S("/d/postgresql.conf"), text };
    return pgconf_read(arena, &source, S("/d/postgresql.conf"), conf, &err);
}

static void edit_conf(struct arena *arena, str text)
{
    struct pgconf conf = { 0 }, edited = { 0 };
    struct pgconf_change change = { S("ssl_key_file"), S("/new's.key") };
    if (!read_conf(arena, text, &conf))
        return;
    assert(read_conf(arena, pgconf_edit(arena, text, &change, 1), &edited));
    assert(str_eq(pgconf_find(&edited, "ssl_key_file")->value, change.value));
    bool added = pgconf_find(&conf, "ssl_key_file") == NULL;
    assert(edited.settings.count == conf.settings.count + added);
}

static void read_conninfo(struct arena *arena, str text)
{
    AUTO(err) struct err err = { 0 };
    struct conninfo one = { 0 }, back = { 0 };
    if (!conninfo_parse(arena, text, &one, &err))
        return;
    assert(conninfo_parse(arena, conninfo_format(arena, &one), &back, &err));
    assert(back.pairs.count == one.pairs.count);
    for (size_t i = 0; i < one.pairs.count; i++)
        assert(str_eq(conninfo_get(&back, one.pairs.items[i].name.ptr), one.pairs.items[i].value));
}

static void read_services(struct arena *arena, str text)
{
    AUTO(err) struct err err = { 0 };
    struct conninfo conninfo = { 0 };
    str_list names = { 0 };
    service_file_sections(arena, text, &names);
    for (size_t i = 0; i < names.count && i < 4; i++)
        assert(service_file_section(arena, text, names.items[i], &conninfo, &err));
    assert(str_list_has(&names, S("db1")) ==
           service_file_section(arena, text, S("db1"), &conninfo, &err));
    (void)service_file_edit(arena, text, S("sslcert"), S("a"), S("b"));
    assert(str_eq(service_file_edit(arena, text, S("sslcert"), S("a"), S("a")), text));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    str text = { (const char *)data, size };
    struct hba hba;
    edit_conf(&arena, text);
    if (hba_parse(&arena, S("pg_hba.conf"), text, &hba, &err)) {
        (void)hba_demand(&arena, &hba);
        (void)hba_match(&hba, S("replication"), S("postgres"));
        (void)hba_match(&hba, S("app"), S("app"));
    }
    read_conninfo(&arena, text);
    read_services(&arena, text);
    read_server(&arena, text);
    return 0;
}
