/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/option.h"

#include "base/clock.h"

#include <string.h>

struct match {
    const struct option *option;
    char *into; /* the struct that its table writes to */
};

static struct match find(const struct option_set *set, str name, char letter)
{
    for (size_t i = 0; i < set->count; i++)
        for (const struct option *row = set->tables[i]; row != NULL && row->name != NULL; row++)
            if (letter != 0 ? row->letter == letter : str_eq(str_c(row->name), name))
                return (struct match){ row, set->values[i] };
    return (struct match){ 0 };
}

static bool unknown(struct arena *arena, const struct option_set *set, str name, struct err *err)
{
    LIST(const char *) names = { 0 };
    for (size_t i = 0; i < set->count; i++)
        for (const struct option *row = set->tables[i]; row != NULL && row->name != NULL; row++)
            list_push(arena, &names) = row->name;
    const char *nearest = str_nearest(name, names.items, names.count);
    if (nearest != NULL)
        return err_set(err, ERR_USAGE, "unknown option --%.*s, did you mean --%s?", STR_ARG(name),
                       nearest);
    return err_set(err, ERR_USAGE, "unknown option --%.*s", STR_ARG(name));
}

static bool is_choice(const struct option *option, str value)
{
    for (str rest = str_c(option->choices); rest.len > 0;)
        if (str_eq(str_cut(&rest, '|'), value))
            return true;
    return false;
}

static bool bad_value(const struct option *option, const char *value, const char *want,
                      struct err *err)
{
    return err_set(err, ERR_USAGE, "--%s %s: not %s", option->name, value, want);
}

static bool set_number(struct match match, const char *value, struct err *err)
{
    const struct option *option = match.option;
    uint64_t number = 0;
    int64_t seconds = 0;
    bool ok = false;
    if (option->kind == OPTION_NUMBER)
        ok = str_to_u64(str_c(value), INT64_MAX, &number) && number > 0;
    else if (option->kind == OPTION_DURATION)
        ok = clock_parse_duration(str_c(value), &seconds);
    else
        ok = clock_parse(str_c(value), &seconds);
    if (!ok)
        return bad_value(option, value,
                         option->kind == OPTION_NUMBER     ? "a number from 1 up"
                         : option->kind == OPTION_DURATION ? "a duration such as 30d or 12h"
                                                           : "a time such as 2027-01-03T12:00:00Z",
                         err);
    int64_t result = option->kind == OPTION_NUMBER ? (int64_t)number : seconds;
    memcpy(match.into + option->offset, &result, sizeof(result));
    return true;
}

static bool set_value(struct match match, const char *value, struct err *err)
{
    const struct option *option = match.option;
    switch (option->kind) {
    case OPTION_FLAG:
        memcpy(match.into + option->offset, &(bool){ true }, sizeof(bool));
        return true;
    case OPTION_NUMBER:
    case OPTION_DURATION:
    case OPTION_TIME:
        return set_number(match, value, err);
    case OPTION_CHOICE:
        if (!is_choice(option, str_c(value)))
            return bad_value(option, value, option->choices, err);
        break;
    case OPTION_TEXT:
    case OPTION_FILE:
    case OPTION_DIR:
        break;
    }
    memcpy(match.into + option->offset, &value, sizeof(value));
    return true;
}

/* Takes `--name`, `--name value`, `--name=value`, `-n` or `-n value` at argv[*at]. */
static bool take_option(struct arena *arena, const struct option_set *set, int argc,
                        const char *const *argv, int *at, struct err *err)
{
    str word = str_c(argv[*at]), name = { 0 };
    bool is_long = str_starts(word, S("--"));
    str value = { 0 };
    if (is_long) {
        value = (str){ word.ptr + 2, word.len - 2 };
        name = str_cut(&value, '=');
    }
    if (!is_long && word.len != 2)
        return err_set(err, ERR_USAGE, "%s: short options are given one by one", argv[*at]);
    struct match match = find(set, name, is_long ? 0 : word.ptr[1]);
    if (match.option == NULL)
        return is_long ? unknown(arena, set, name, err)
                       : err_set(err, ERR_USAGE, "unknown option %s", argv[*at]);
    bool flag = match.option->kind == OPTION_FLAG;
    if (flag && value.ptr != NULL)
        return err_set(err, ERR_USAGE, "--%s takes no value", match.option->name);
    if (!flag && value.ptr == NULL && *at + 1 >= argc)
        return err_set(err, ERR_USAGE, "--%s needs a value: %s", match.option->name,
                       match.option->argument);
    const char *text = flag ? NULL : value.ptr != NULL ? value.ptr : argv[++*at];
    return set_value(match, text, err);
}

bool options_parse(struct arena *arena, const struct option_set *set, int argc,
                   const char *const *argv, word_list *ret_words, struct err *err)
{
    bool only_words = false;
    for (int i = 0; i < argc; i++) {
        bool dashed = argv[i][0] == '-' && argv[i][1] != '\0';
        if (only_words || !dashed)
            list_push(arena, ret_words) = argv[i];
        else if (strcmp(argv[i], "--") == 0)
            only_words = true;
        else if (!take_option(arena, set, argc, argv, &i, err))
            return false;
    }
    return true;
}
