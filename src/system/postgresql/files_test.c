/* SPDX-License-Identifier: Apache-2.0 */
#include "system/postgresql/files.h"

#include "tests/test.h"

#include <stdlib.h>

static void write_file(struct arena *arena, const char *folder, const char *name, const char *text)
{
    AUTO(file) FILE *file = fopen(str_printf(arena, "%s/%s", folder, name).ptr, "w");
    check(file != NULL);
    fputs(text, file);
}

TEST(a_folder_of_settings_is_read_in_the_order_of_its_names_without_hidden_files)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    char folder[] = "/tmp/reseal-conf-XXXXXX";
    static const char *const names[] = { "b.conf", "a.conf", ".c.conf", "d.txt", "main" };
    check(mkdtemp(folder) != NULL);
    write_file(&arena, folder, "b.conf", "x = b\n");
    write_file(&arena, folder, "a.conf", "x = a\n");
    write_file(&arena, folder, ".c.conf", "x = c\n");
    write_file(&arena, folder, "d.txt", "x = d\n");
    write_file(&arena, folder, "main", "include_dir '.'\n");
    struct pgconf conf = { 0 };
    str path = str_printf(&arena, "%s/main", folder);
    check_ok(pgconf_read(&arena, &pgconf_files, path, &conf, &err), &err);
    check_int(conf.settings.count, 2);
    check_str(pgconf_find(&conf, "x")->value, S("b"));
    for (size_t i = 0; i < COUNT(names); i++)
        check_int(remove(str_printf(&arena, "%s/%s", folder, names[i]).ptr), 0);
    check_int(remove(folder), 0);
}
