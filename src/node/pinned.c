/* SPDX-License-Identifier: Apache-2.0 */
#include "node/pinned.h"

#include "base/io.h"
#include "node/file.h"
#include "node/material.h"
#include "store/pins.h"

struct pin_site {
    str path, text;
    struct pin pin;
    bool has;
};

static bool read_pins(const struct change_site *site, const struct change *change,
                      struct pin_site *ret_at, struct err *err)
{
    const struct store_conf *store = material_store(site, change, err);
    *ret_at = (struct pin_site){ 0 };
    if (store == NULL)
        return false;
    if (!pin_of_name(change->pin, &ret_at->pin))
        return err_set(err, ERR_FORMAT, "no pin is \"%.*s\"", STR_ARG(change->pin));
    ret_at->path = store->path;
    if (!io_read(site->call->arena, str_cstr(site->call->arena, store->path), IO_FILE_MAX,
                 &ret_at->text, err))
        return false;
    ret_at->has = pins_have(ret_at->text, ret_at->pin);
    return true;
}

bool pinned_observe(const struct change_site *site, const struct change *change,
                    enum observed *ret_observed, str *ret_evidence, struct err *err)
{
    struct pin_site at;
    *ret_observed = OBSERVED_BEFORE;
    *ret_evidence = S("what it is to remember has not been issued yet");
    if (change->pin.len == 0)
        return true;
    if (!read_pins(site, change, &at, err))
        return false;
    *ret_observed = at.has == (change->kind == STEP_expect) ? OBSERVED_AFTER : OBSERVED_BEFORE;
    *ret_evidence = str_printf(site->call->arena, "%.*s %s it", STR_ARG(at.path),
                               at.has ? "holds" : "does not hold");
    return true;
}

bool pinned_change(const struct change_site *site, const struct change *change, str *ret_evidence,
                   struct err *err)
{
    struct arena *arena = site->call->arena;
    struct pin_site at;
    if (change->pin.len == 0)
        return err_set(err, ERR_REFUSED, "%.*s", STR_ARG(*ret_evidence));
    if (!read_pins(site, change, &at, err))
        return false;
    struct file_change write = { .state = site->call->state,
                                 .apply = site->apply,
                                 .path = at.path,
                                 .expects = sha256_hex(arena, at.text) };
    str then = change->kind == STEP_expect ? pins_with(arena, at.text, at.pin)
                                           : pins_without(arena, at.text, at.pin);
    *ret_evidence = str_printf(arena, "%.*s written", STR_ARG(at.path));
    return file_write(&write, then, err);
}
