/* SPDX-License-Identifier: Apache-2.0 */
/* ssh.h - a node's `reach` over ssh: ssh://[USER@]HOST[:PORT], HOST as ssh(1) takes it. */
#ifndef CLUSTER_SSH_H
#define CLUSTER_SSH_H

#include "base/str.h"

struct ssh_address {
    str user;      /* empty: as ssh decides */
    str host;      /* without the brackets of an IPv6 address */
    uint16_t port; /* 0: as ssh decides */
};

/* Whether it means to be one: then every path of the node is one over there. */
bool ssh_is_meant(str reach);

/* False for anything else, among it what ssh would take for an option. */
bool ssh_address_parse(str reach, struct ssh_address *ret_address);

/* "ssh://root@db1:22/srv/db" into its address and "/srv/db". False when there is no path. */
bool ssh_split(str word, str *ret_reach, str *ret_path);

#endif
