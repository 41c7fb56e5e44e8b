/* SPDX-License-Identifier: Apache-2.0 */
#include "system/postgresql/refer.h"

#include "system/postgresql/conninfo.h"

static bool edit_file(struct arena *arena, const struct pgconf_source *source, str path,
                      const struct pgconf_change *changes, size_t count, struct file_edit *ret_edit,
                      struct err *err)
{
    str text;
    if (!source->read(source->context, arena, path, &text, err))
        return false;
    *ret_edit = (struct file_edit){ path, text, pgconf_edit(arena, text, changes, count) };
    return true;
}

/* The file that sets either name last; the main one when none does. */
static str winning_file(const struct pg_place *place)
{
    const struct pgconf_setting *certificate = pgconf_find(&place->conf, "ssl_cert_file");
    const struct pgconf_setting *key = pgconf_find(&place->conf, "ssl_key_file");
    const struct pgconf_setting *last = certificate > key ? certificate : key;
    return last == NULL ? place->config_file : last->file;
}

/* The same files, one of them as it would be. */
struct overlay {
    const struct pgconf_source *source;
    const struct file_edit *edit;
};

static bool read_overlay(void *context, struct arena *arena, str path, str *ret_text,
                         struct err *err)
{
    const struct overlay *overlay = context;
    if (!str_eq(path, overlay->edit->path))
        return overlay->source->read(overlay->source->context, arena, path, ret_text, err);
    *ret_text = overlay->edit->then;
    return true;
}

static bool list_overlay(void *context, struct arena *arena, str folder, str_list *ret_names,
                         struct err *err)
{
    const struct overlay *overlay = context;
    return overlay->source->list(overlay->source->context, arena, folder, ret_names, err);
}

/* A setting that is written where it stands can lose to a later one of the same name. */
static bool check_wins(struct arena *arena, const struct pgconf_source *source,
                       const struct node_conf *node, const struct pgconf_change *change,
                       const struct file_edit *edit, struct err *err)
{
    struct overlay overlay = { source, edit };
    struct pgconf_source seen = { source->home, &overlay, read_overlay, list_overlay };
    struct pg_place place;
    if (!pg_place_read(arena, &seen, node, &place, err))
        return false;
    const struct pgconf_setting *found = pgconf_find(&place.conf, change->name.ptr);
    if (found != NULL && str_eq(found->value, change->value))
        return true;
    (void)err_set(err, ERR_REFUSED, "%.*s is set in %.*s and once more where that wins",
                  STR_ARG(change->name), STR_ARG(edit->path));
    return found == NULL ? false : err_where(err, "%.*s:%d", STR_ARG(found->file), found->line);
}

static bool refer_server(struct arena *arena, const struct pgconf_source *source,
                         const struct node_conf *node, const struct pg_place *place,
                         const struct identity_files *files, struct file_edit *ret_edit,
                         struct err *err)
{
    const struct pgconf_change changes[] = {
        {S("ssl_cert_file"), files->certificate},
        { S("ssl_key_file"), files->key        }
    };
    return edit_file(arena, source, winning_file(place), changes, COUNT(changes), ret_edit, err) &&
           check_wins(arena, source, node, &changes[0], ret_edit, err) &&
           check_wins(arena, source, node, &changes[1], ret_edit, err);
}

static bool refer_upstream(struct arena *arena, const struct pgconf_source *source,
                           const struct pg_place *place, const struct identity_files *files,
                           struct file_edit *ret_edit, struct err *err)
{
    const struct pgconf_setting *setting = pgconf_find(&place->conf, "primary_conninfo");
    struct conninfo conninfo;
    if (setting == NULL)
        return true;
    if (!conninfo_parse(arena, setting->value, &conninfo, err)) {
        err_wrap(err, "primary_conninfo");
        return err_where(err, "%.*s:%d", STR_ARG(setting->file), setting->line);
    }
    conninfo_set(arena, &conninfo, "sslcert", files->certificate);
    conninfo_set(arena, &conninfo, "sslkey", files->key);
    const struct pgconf_change change = { S("primary_conninfo"),
                                          conninfo_format(arena, &conninfo) };
    return edit_file(arena, source, setting->file, &change, 1, ret_edit, err);
}

bool pg_refer(struct arena *arena, const struct pgconf_source *source, const struct node_conf *node,
              str store, const struct identity_files *files, struct file_edit *ret_edit,
              struct err *err)
{
    struct pg_place place;
    *ret_edit = (struct file_edit){ 0 };
    if (!pg_place_read(arena, source, node, &place, err))
        return false;
    if (str_eq(store, S("server")))
        return refer_server(arena, source, node, &place, files, ret_edit, err);
    if (str_eq(store, S("upstream")))
        return refer_upstream(arena, source, &place, files, ret_edit, err);
    return true;
}
