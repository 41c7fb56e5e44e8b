/* SPDX-License-Identifier: Apache-2.0 */
/* postgresql.conf, pg_hba.conf and service files: read, and edited without losing a setting. */
#include "system/postgresql/conf.h"
#include "system/postgresql/conninfo.h"
#include "system/postgresql/hba.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Every path gives the input, so that an include finds itself. */
static bool read_input(void *context, struct arena *arena, str path, str *ret_text, struct err *err)
{
    (void)arena;
    if (!str_eq(path, S("/fuzz.conf")))
        return err_set(err, ERR_SYSTEM, "no such file");
    *ret_text = *(const str *)context;
    return true;
}

static bool list_nothing(void *context, struct arena *arena, str folder, str_list *ret_names,
                         struct err *err)
{
    (void)context, (void)arena, (void)folder, (void)ret_names, (void)err;
    return true;
}

static bool read_conf(struct arena *arena, str text, struct pgconf *conf)
{
    AUTO(err) struct err err = { 0 };
    struct pgconf_source source = { &text, read_input, list_nothing };
    return pgconf_read(arena, &source, S("/fuzz.conf"), conf, &err);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    str text = { (const char *)data, size };
    struct pgconf conf = { 0 }, edited = { 0 };
    struct pgconf_change change = { S("ssl_key_file"), S("/new's.key") };
    if (read_conf(&arena, text, &conf)) {
        assert(read_conf(&arena, pgconf_edit(&arena, text, &change, 1), &edited));
        assert(str_eq(pgconf_find(&edited, "ssl_key_file")->value, change.value));
    }
    struct hba hba;
    if (hba_parse(&arena, S("pg_hba.conf"), text, &hba, &err))
        (void)hba_demand(&hba);
    struct conninfo conninfo = { 0 };
    (void)service_file_section(&arena, text, S("db1"), &conninfo, &err);
    (void)service_file_edit(&arena, text, S("sslcert"), S("a"), S("b"));
    return 0;
}
