/* SPDX-License-Identifier: Apache-2.0 */
#include "system/generic/words.h"

#include "base/io.h"
#include "node/generation.h"

#include <string.h>

static bool begins_word(str text, size_t at)
{
    return at == 0 || strchr(" \t\r\n\"'=:,;([{<", text.ptr[at - 1]) != NULL;
}

static bool ends_word(str text, size_t at)
{
    return at == text.len || strchr(" \t\r\n\"',;)]}>", text.ptr[at]) != NULL;
}

/* Whether a comment begins before `at` on its line; a quoted `#` begins none. */
static bool is_comment(str text, size_t at)
{
    size_t i = at;
    char quote = 0;
    while (i > 0 && text.ptr[i - 1] != '\n')
        i--;
    for (; i < at; i++) {
        char c = text.ptr[i];
        if (quote == 0 && c == '#' && begins_word(text, i))
            return true;
        if (c == '\\')
            i++;
        else if (quote == 0 && (c == '"' || c == '\''))
            quote = c;
        else if (c == quote)
            quote = 0;
    }
    return false;
}

/* A path as the file may spell it: absolute, or seen from its folder. */
struct spelling {
    str prefix; /* what the spelling leaves out: empty, or the folder with its slash */
    str stem, ending;
};

static size_t spellings_of(struct arena *arena, str file, str path, struct spelling ret[2])
{
    str folder = str_printf(arena, "%.*s/", STR_ARG(io_dir_of(arena, file)));
    generation_parts(path, &ret[0].stem, &ret[0].ending);
    ret[0].prefix = S("");
    if (!str_starts(ret[0].stem, folder))
        return 1;
    ret[1] = ret[0];
    ret[1].prefix = folder;
    ret[1].stem = (str){ ret[0].stem.ptr + folder.len, ret[0].stem.len - folder.len };
    return 2;
}

/* How long the word at `at` is, when it is a generation of this spelling; 0 when it is not. */
static size_t word_at(str text, size_t at, const struct spelling *spelling)
{
    str rest = { text.ptr + at, text.len - at };
    if (!str_starts(rest, spelling->stem) || !begins_word(text, at) || is_comment(text, at))
        return 0;
    size_t len = spelling->stem.len;
    str mark = { rest.ptr + len + 1, GENERATION_MARK };
    if (rest.len > len + GENERATION_MARK && rest.ptr[len] == '.' &&
        str_is_hex(mark, GENERATION_MARK))
        len += 1 + GENERATION_MARK;
    if (!str_starts((str){ rest.ptr + len, rest.len - len }, spelling->ending))
        return 0;
    len += spelling->ending.len;
    return ends_word(text, at + len) ? len : 0;
}

/* The next word from `*at` on that is a generation of `path`; `*at` is where it stands. */
struct words {
    struct spelling spellings[2];
    size_t count;
    str text;
    size_t at, len;
    str path; /* which file the word names, absolute */
};

static bool next(struct arena *arena, struct words *words)
{
    for (; words->at < words->text.len; words->at++)
        for (size_t i = 0; i < words->count; i++) {
            words->len = word_at(words->text, words->at, &words->spellings[i]);
            if (words->len == 0)
                continue;
            str word = { words->text.ptr + words->at, words->len };
            words->path =
                str_printf(arena, "%.*s%.*s", STR_ARG(words->spellings[i].prefix), STR_ARG(word));
            return true;
        }
    return false;
}

static struct words words_of(struct arena *arena, str file, str text, str path)
{
    struct words words = { .text = text };
    words.count = path.len == 0 ? 0 : spellings_of(arena, file, path, words.spellings);
    return words;
}

bool words_find(struct arena *arena, str file, str text, str path, str *ret_path, struct err *err)
{
    struct words words = words_of(arena, file, text, path);
    *ret_path = S("");
    for (; next(arena, &words); words.at += words.len) {
        if (ret_path->len > 0 && !str_eq(*ret_path, words.path))
            return err_set(err, ERR_FORMAT, "%.*s names %.*s and also %.*s", STR_ARG(file),
                           STR_ARG(*ret_path), STR_ARG(words.path));
        *ret_path = words.path;
    }
    return true;
}

/* As the word before it was spelled, where that is possible. */
static str spell(struct arena *arena, str file, bool relative, str to)
{
    str folder = str_printf(arena, "%.*s/", STR_ARG(io_dir_of(arena, file)));
    return relative && str_starts(to, folder) ? (str){ to.ptr + folder.len, to.len - folder.len }
                                              : to;
}

str words_edit(struct arena *arena, str file, str text, str from, str to)
{
    struct words words = words_of(arena, file, text, from);
    struct buf out = { 0 };
    size_t kept = 0;
    buf_add(arena, &out, S(""));
    for (; next(arena, &words); words.at += words.len) {
        if (!str_eq(words.path, from))
            continue;
        buf_add(arena, &out, (str){ text.ptr + kept, words.at - kept });
        buf_add(arena, &out, spell(arena, file, text.ptr[words.at] != '/', to));
        kept = words.at + words.len;
    }
    buf_add(arena, &out, (str){ text.ptr + kept, text.len - kept });
    return buf_str(&out);
}
