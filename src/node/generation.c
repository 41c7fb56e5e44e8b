/* SPDX-License-Identifier: Apache-2.0 */
#include "node/generation.h"

enum { MARK = 8 };

/* Where the last dot of the file's name is, or the end: a leading dot begins no ending. */
static size_t ending_of(str path)
{
    for (size_t i = path.len; i > 1 && path.ptr[i - 1] != '/'; i--)
        if (path.ptr[i - 1] == '.' && path.ptr[i - 2] != '/')
            return i - 1;
    return path.len;
}

str generation_name(struct arena *arena, str path, str mark)
{
    size_t end = ending_of(path);
    str stem = { path.ptr, end }, ending = { path.ptr + end, path.len - end };
    size_t inner = ending_of(stem);
    str earlier = { stem.ptr + inner, stem.len - inner };
    if (earlier.len == MARK + 1 && str_is_hex((str){ earlier.ptr + 1, MARK }, MARK))
        stem.len = inner;
    return str_printf(arena, "%.*s.%.*s%.*s", STR_ARG(stem), STR_ARG(mark), STR_ARG(ending));
}
