/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compose.h - YAML text into a tree with lines, within bounds.
 *
 * Refused: duplicate keys, anchors and aliases, a second document, text over 4 MiB, more than
 * 200,000 nodes, nesting deeper than 32. Scalars stay text: the schema gives them their types.
 */
#ifndef CLUSTER_COMPOSE_H
#define CLUSTER_COMPOSE_H

#include "base/err.h"
#include "base/str.h"

enum { YAML_TEXT_MAX = 4 * 1024 * 1024, YAML_NODES_MAX = 200000, YAML_DEPTH_MAX = 32 };
enum yaml_kind { YAML_SCALAR, YAML_LIST, YAML_MAP };

struct yaml_item;
struct yaml {
    enum yaml_kind kind;
    int line;
    str text;                     /* of a scalar */
    LIST(struct yaml_item) items; /* of the others */
};
struct yaml_item {
    str key; /* empty in a list */
    int line;
    struct yaml *value;
};

MUST_CHECK bool yaml_compose(struct arena *arena, const char *path, str text,
                             struct yaml **ret_root, struct err *err);

#endif
