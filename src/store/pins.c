/* SPDX-License-Identifier: Apache-2.0 */
#include "store/pins.h"

enum { LINE_SHOWN = 40 };

static bool is_comment(str line)
{
    return line.len == 0 || line.ptr[0] == '#';
}

/* The next line with its line feed; `ret_text` is what is on it. */
static bool next_line(str *rest, str *ret_line, str *ret_text)
{
    if (rest->len == 0)
        return false;
    size_t end = str_find(*rest, S("\n"));
    end += end < rest->len;
    *ret_line = (str){ rest->ptr, end };
    *ret_text = str_trim(*ret_line);
    *rest = (str){ rest->ptr + end, rest->len - end };
    return true;
}

static bool line_is(struct arena *arena, str text, struct pin pin)
{
    struct pin found;
    return !is_comment(text) && pin_parse(arena, text, &found) && pin_eq(found, pin);
}

void pins_of(struct arena *arena, str text, pin_list *ret_pins)
{
    str line, content;
    struct pin pin;
    *ret_pins = (pin_list){ 0 };
    while (next_line(&text, &line, &content)) {
        size_t i = 0;
        if (is_comment(content) || !pin_parse(arena, content, &pin))
            continue;
        while (i < ret_pins->count && !pin_eq(ret_pins->items[i], pin))
            i++;
        if (i == ret_pins->count)
            list_push(arena, ret_pins) = pin;
    }
}

bool pins_have(str text, struct pin pin)
{
    AUTO(arena) struct arena scratch = { 0 };
    str line, content;
    while (next_line(&text, &line, &content))
        if (line_is(&scratch, content, pin))
            return true;
    return false;
}

str pins_with(struct arena *arena, str text, struct pin pin)
{
    struct buf out = { 0 };
    buf_add(arena, &out, text);
    if (text.len > 0 && !str_ends(text, S("\n")))
        buf_add(arena, &out, S("\n"));
    buf_add(arena, &out, pin_text(arena, pin));
    buf_add(arena, &out, S("\n"));
    return buf_str(&out);
}

str pins_without(struct arena *arena, str text, struct pin pin)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct buf out = { 0 };
    str line, content;
    buf_add(arena, &out, S(""));
    while (next_line(&text, &line, &content))
        if (!line_is(&scratch, content, pin))
            buf_add(arena, &out, line);
    return buf_str(&out);
}

bool pins_sniff(str bytes)
{
    AUTO(arena) struct arena scratch = { 0 };
    str line, content;
    struct pin pin;
    while (next_line(&bytes, &line, &content))
        if (!is_comment(content))
            return pin_parse(&scratch, content, &pin);
    return false;
}

static void bad_line(struct arena *arena, struct store *store, size_t number, str content)
{
    str shown = { content.ptr, content.len < LINE_SHOWN ? content.len : LINE_SHOWN };
    finding_add(arena, &store->findings, FINDING_keystore_format,
                str_printf(arena, "%.*s:%zu", STR_ARG(store->path), number),
                str_printf(arena, "\"%.*s\" is no pin", STR_ARG(shown)));
}

void pins_read(struct arena *arena, str bytes, const struct store_options *options,
               struct store *store)
{
    (void)options;
    str line, content;
    struct pin pin;
    for (size_t number = 1; next_line(&bytes, &line, &content); number++) {
        if (is_comment(content))
            continue;
        if (store->entries.count + store->findings.count >= STORE_ENTRIES_MAX) {
            bad_line(arena, store, number, S("what follows the first 20,000 lines"));
            return;
        }
        if (!pin_parse(arena, content, &pin)) {
            bad_line(arena, store, number, content);
            continue;
        }
        struct entry *entry = store_add(arena, store, ENTRY_PIN);
        entry->line = number;
        entry->pin = pin;
    }
}
