/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/endpoint.h"

bool endpoint_parse(str text, struct endpoint *ret_endpoint)
{
    size_t at = text.len;
    while (at > 0 && text.ptr[at - 1] != ':')
        at--;
    uint64_t port;
    if (at < 2 || !str_to_u64((str){ text.ptr + at, text.len - at }, UINT16_MAX, &port) ||
        port == 0)
        return false;
    str host = { text.ptr, at - 1 };
    bool colons = str_find(host, S(":")) < host.len;
    bool brackets = str_starts(host, S("[")) && str_ends(host, S("]"));
    if (colons != brackets || str_find(host, S("/")) < host.len)
        return false;
    if (brackets)
        host = (str){ host.ptr + 1, host.len - 2 };
    *ret_endpoint = (struct endpoint){ host, (uint16_t)port };
    return host.len > 0;
}

const char *endpoint_protocol(uint16_t port)
{
    static const struct {
        uint16_t port;
        const char *protocol;
    } rows[] = {
        {21,    "ftp"       },
        { 25,   "smtp"      },
        { 587,  "smtp"      },
        { 110,  "pop3"      },
        { 143,  "imap"      },
        { 389,  "ldap"      },
        { 3306, "mysql"     },
        { 5432, "postgresql"},
    };
    for (size_t i = 0; i < COUNT(rows); i++)
        if (rows[i].port == port)
            return rows[i].protocol;
    return "tls";
}
