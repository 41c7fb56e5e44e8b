/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/option.h"

#include "tests/test.h"

struct values {
    bool all;
    const char *verify;
    int64_t count, at, span;
};

// clang-format off
static const struct option rows[] = {
    { "all", 'a', OPTION_FLAG, NULL, "everything", NULL, OPTION_AT(struct values, bool, all) },
    { "verify", 0, OPTION_CHOICE, "HOW", "how", "ca|full", OPTION_AT(struct values, const char *, verify) },
    { "count", 'n', OPTION_NUMBER, "N", "how many", NULL, OPTION_AT(struct values, int64_t, count) },
    { "at", 0, OPTION_TIME, "TIME", "when", NULL, OPTION_AT(struct values, int64_t, at) },
    { "span", 0, OPTION_DURATION, "TIME", "how long", NULL, OPTION_AT(struct values, int64_t, span) },
    { 0 },
};
// clang-format on

static bool parse(struct arena *arena, const char *line, struct values *values, word_list *words,
                  struct err *err)
{
    word_list argv = { 0 };
    for (str rest = str_copy(arena, str_c(line)); rest.len > 0;)
        list_push(arena, &argv) = str_cstr(arena, str_cut(&rest, ' '));
    const struct option *tables[] = { rows };
    void *into[] = { values };
    struct option_set set = { tables, into, 1 };
    return options_parse(arena, &set, (int)argv.count, argv.items, words, err);
}

TEST(options_and_words_may_be_mixed_and_two_dashes_end_the_options)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct values values = { 0 };
    word_list words = { 0 };
    check_ok(parse(&arena, "a -a --verify=full b -n 3 --at 1970-01-02 --span 2h -- --all", &values,
                   &words, &err),
             &err);
    check(values.all && values.count == 3 && values.at == 86400 && values.span == 7200);
    assert_string_equal(values.verify, "full");
    check_int(words.count, 3);
    assert_string_equal(words.items[2], "--all");
}

TEST(a_wrong_option_is_named_with_what_was_meant_or_what_it_takes)
{
    // clang-format off
    static const struct { const char *line, *want; } cases[] = {
        { "--al",          "unknown option --al, did you mean --all?" },
        { "--zzzzzz",      "unknown option --zzzzzz" },
        { "-x",            "unknown option -x" },
        { "-an",           "-an: short options are given one by one" },
        { "--all=1",       "--all takes no value" },
        { "--count",       "--count needs a value: N" },
        { "--count x",     "--count x: not a number from 1 up" },
        { "--count 0",     "--count 0: not a number from 1 up" },
        { "--verify none", "--verify none: not ca|full" },
        { "--at noon",     "--at noon: not a time such as 2027-01-03T12:00:00Z" },
        { "--span 3",      "--span 3: not a duration such as 30d or 12h" },
    };
    // clang-format on
    for (size_t i = 0; i < COUNT(cases); i++) {
        AUTO(arena) struct arena arena = { 0 };
        AUTO(err) struct err err = { 0 };
        struct values values = { 0 };
        word_list words = { 0 };
        check_err(parse(&arena, cases[i].line, &values, &words, &err), &err, cases[i].want);
    }
}
