/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/ssh.h"

#include <string.h>

#define SCHEME  "ssh://"
#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"

bool ssh_is_meant(str reach)
{
    return str_starts(reach, S(SCHEME));
}

/* Nothing that a shell or ssh's own patterns and tokens would look at. */
static bool is_word(str text, const char *others)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] == '\0' ||
            (strchr(LETTERS, text.ptr[i]) == NULL && strchr(others, text.ptr[i]) == NULL))
            return false;
    return text.len > 0 && text.ptr[0] != '-';
}

static bool take_port(str text, uint16_t *ret_port)
{
    uint64_t port;
    bool good = str_starts(text, S(":")) &&
                str_to_u64((str){ text.ptr + 1, text.len - 1 }, UINT16_MAX, &port) && port > 0;
    *ret_port = good ? (uint16_t)port : 0;
    return text.len == 0 || good;
}

bool ssh_address_parse(str reach, struct ssh_address *ret_address)
{
    struct ssh_address address = { 0 };
    if (!ssh_is_meant(reach))
        return false;
    str rest = { reach.ptr + sizeof(SCHEME) - 1, reach.len - (sizeof(SCHEME) - 1) };
    if (str_find(rest, S("@")) < rest.len) {
        address.user = str_cut(&rest, '@');
        if (!is_word(address.user, "._-"))
            return false;
    }
    bool brackets = str_starts(rest, S("["));
    size_t end = str_find(rest, brackets ? S("]") : S(":"));
    address.host = (str){ rest.ptr + brackets, end - (brackets && end > 0) };
    if (brackets && (end == rest.len || !is_word(address.host, ".:%")))
        return false;
    if (!brackets && !is_word(address.host, "._-"))
        return false;
    end += brackets;
    if (!take_port((str){ rest.ptr + end, rest.len - end }, &address.port))
        return false;
    *ret_address = address;
    return true;
}

bool ssh_split(str word, str *ret_reach, str *ret_path)
{
    size_t at = sizeof(SCHEME) - 1;
    if (!ssh_is_meant(word))
        return false;
    while (at < word.len && word.ptr[at] != '/')
        at++;
    *ret_reach = (str){ word.ptr, at };
    *ret_path = (str){ word.ptr + at, word.len - at };
    return ret_path->len > 1;
}
