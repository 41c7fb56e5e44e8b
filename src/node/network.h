/* SPDX-License-Identifier: Apache-2.0 */
/* network.h - where a node is in the network: what its addresses mean to others, and others' to it.
 */
#ifndef NODE_NETWORK_H
#define NODE_NETWORK_H

#include "base/emit.h"
#include "cluster/cluster.h"

/* Two workers with the same answer share one loopback; empty when it cannot be told. */
str network_loopback(struct arena *arena);

/* The addresses that others may use: of the interfaces that are up, without loopback and link-local
   ones, IPv4 first. */
void network_addresses(struct arena *arena, str_list *ret_addresses);

/* What this node's own resolver says of a name; nothing where it says nothing in time. */
void network_resolve(struct arena *arena, str name, int timeout_ms, str_list *ret_addresses);

/* Adds "loopback", "addresses" and "names" (of the hosts that the links dial) to the open object.
 */
void network_emit(struct emit *emit, struct arena *arena, const struct cluster *fragment);

#endif
