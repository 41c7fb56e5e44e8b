/* SPDX-License-Identifier: Apache-2.0 */
#include "system/postgresql/hba.h"

#include <string.h>

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/* One token of a field: bare, or in double quotes where "" stands for a quote. */
static str cut_token(struct arena *arena, str *rest, bool *ret_closed)
{
    char *out = arena_alloc(arena, rest->len + 1, 1);
    size_t len = 0, i = 0;
    bool quoted = false;
    for (; i < rest->len; i++) {
        char c = rest->ptr[i];
        bool doubled = quoted && c == '"' && i + 1 < rest->len && rest->ptr[i + 1] == '"';
        if (!quoted && (is_blank(c) || c == ',' || c == '#'))
            break;
        if (doubled)
            out[len++] = rest->ptr[++i];
        else if (c == '"')
            quoted = !quoted;
        else
            out[len++] = c;
    }
    *rest = (str){ rest->ptr + i, rest->len - i };
    *ret_closed = !quoted;
    return (str){ out, len };
}

static str skip_blanks(str s)
{
    while (s.len > 0 && is_blank(s.ptr[0]))
        s = (str){ s.ptr + 1, s.len - 1 };
    return s;
}

/* A field is a list of tokens separated by commas. False for an open quote. */
static bool cut_field(struct arena *arena, str *rest, str_list *ret_tokens)
{
    *ret_tokens = (str_list){ 0 };
    *rest = skip_blanks(*rest);
    while (rest->len > 0 && rest->ptr[0] != '#') {
        bool closed;
        list_push(arena, ret_tokens) = cut_token(arena, rest, &closed);
        if (!closed)
            return false;
        if (rest->len == 0 || rest->ptr[0] != ',')
            break;
        *rest = skip_blanks((str){ rest->ptr + 1, rest->len - 1 });
    }
    return true;
}

typedef LIST(str_list) field_list;

static bool cut_fields(struct arena *arena, str rest, field_list *fields)
{
    for (;;) {
        str_list tokens;
        if (!cut_field(arena, &rest, &tokens))
            return false;
        if (tokens.count == 0)
            return true;
        list_push(arena, fields) = tokens;
    }
}

static bool is_type(str type)
{
    static const char *const types[] = { "local",     "host",       "hostssl",
                                         "hostnossl", "hostgssenc", "hostnogssenc" };
    for (size_t i = 0; i < COUNT(types); i++)
        if (str_eq(type, str_c(types[i])))
            return true;
    return false;
}

/* An address without a mask length is followed by a mask, unless it is a name or a keyword. */
static bool mask_follows(str address)
{
    if (address.len == 0 || str_find(address, S("/")) < address.len)
        return false;
    if (str_find(address, S(":")) < address.len)
        return true;
    return strspn(address.ptr, "0123456789.") >= address.len;
}

static void take_option(struct hba_line *line, str option)
{
    str value = option;
    str name = str_cut(&value, '=');
    if (str_eq(name, S("clientcert")))
        line->clientcert = value;
    else if (str_eq(name, S("map")))
        line->map = value;
}

static bool parse_fields(struct arena *arena, const field_list *fields, struct hba_line *line)
{
    size_t at = 3;
    line->type = fields->items[0].items[0];
    if (!is_type(line->type) || fields->count < 3)
        return false;
    line->databases = fields->items[1];
    line->users = fields->items[2];
    if (!str_eq(line->type, S("local"))) {
        if (at >= fields->count)
            return false;
        line->address = fields->items[at++].items[0];
        if (mask_follows(line->address) && at < fields->count) {
            str mask = fields->items[at++].items[0];
            line->address = str_printf(arena, "%.*s/%.*s", STR_ARG(line->address), STR_ARG(mask));
        }
    }
    if (at >= fields->count)
        return false;
    line->method = fields->items[at++].items[0];
    for (; at < fields->count; at++)
        take_option(line, fields->items[at].items[0]);
    /* 21.12: cert implies clientcert=verify-full. */
    if (str_eq(line->method, S("cert")))
        line->clientcert = S("verify-full");
    return true;
}

bool hba_parse(struct arena *arena, str path, str text, struct hba *ret_hba, struct err *err)
{
    struct hba hba = { 0 };
    for (int number = 1; text.len > 0; number++) {
        struct hba_line line = { .line = number };
        field_list fields = { 0 };
        /* 21.1: a backslash at the end joins the next line. */
        str raw = str_cut(&text, '\n');
        struct buf joined = { 0 };
        while (str_ends(raw, S("\\")) && text.len > 0) {
            buf_add(arena, &joined, (str){ raw.ptr, raw.len - 1 });
            raw = str_cut(&text, '\n');
            number++;
        }
        buf_add(arena, &joined, raw);
        bool cut = cut_fields(arena, buf_str(&joined), &fields);
        if (cut && fields.count == 0)
            continue;
        if (!cut || !parse_fields(arena, &fields, &line)) {
            err_set(err, ERR_FORMAT, "not a client authentication line");
            return err_where(err, "%.*s:%d", STR_ARG(path), line.line);
        }
        list_push(arena, &hba.lines) = line;
    }
    *ret_hba = hba;
    return true;
}

static bool admits_tls(const struct hba_line *line)
{
    return (str_eq(line->type, S("host")) || str_eq(line->type, S("hostssl"))) &&
           !str_eq(line->method, S("reject"));
}

static void tie(struct arena *arena, const struct hba_line *line, struct hba_demand *demand)
{
    if (!str_eq(line->clientcert, S("verify-full")))
        return;
    demand->user_is_cn = true;
    for (size_t i = 0; i < line->users.count && line->map.len > 0; i++)
        str_list_add(arena, &demand->mapped, line->users.items[i]);
}

struct hba_demand hba_demand(struct arena *arena, const struct hba *hba)
{
    struct hba_demand demand = { 0 };
    bool all = true;
    for (size_t i = 0; i < hba->lines.count; i++) {
        const struct hba_line *line = &hba->lines.items[i];
        if (!admits_tls(line))
            continue;
        bool demands = line->clientcert.len > 0;
        demand.any = true;
        demand.optional = demand.optional || demands;
        all = all && demands;
        tie(arena, line, &demand);
    }
    demand.required = demand.any && all;
    demand.optional = demand.optional && !demand.required;
    return demand;
}

/* 21.1: "all" is every database but not replication, which only its own keyword names. */
static bool database_in(const str_list *list, str database)
{
    bool replication = str_eq(database, S("replication"));
    return str_list_has(list, database) || (!replication && str_list_has(list, S("all")));
}

const struct hba_line *hba_match(const struct hba *hba, str database, str user)
{
    for (size_t i = 0; i < hba->lines.count; i++) {
        const struct hba_line *line = &hba->lines.items[i];
        bool users = str_list_has(&line->users, user) || str_list_has(&line->users, S("all"));
        if (!str_eq(line->type, S("local")) && !str_eq(line->type, S("hostnossl")) && users &&
            database_in(&line->databases, database))
            return line;
    }
    return NULL;
}
