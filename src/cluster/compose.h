/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compose.h - YAML text into a tree with lines, within bounds.
 *
 * Refused: duplicate keys, anchors and aliases, a second document, nesting deeper than 32, more
 * than a million values at a time. Scalars stay text: the schema gives them their types.
 *
 * The items of a long list or mapping below the root can be taken one at a time, so that a file of
 * any length needs no more memory than its largest item.
 */
#ifndef CLUSTER_COMPOSE_H
#define CLUSTER_COMPOSE_H

#include "base/err.h"
#include "base/str.h"

enum { YAML_VALUES_MAX = 1000000, YAML_DEPTH_MAX = 32 };
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

/* Who takes items: asked for each key of the root that has a list or a mapping, then given its
   items. What is taken lives until take() returns, and is not in the tree. */
struct yaml_taker {
    void *context;
    bool (*wants)(void *context, str key, enum yaml_kind kind);
    bool (*take)(void *context, str key, const struct yaml_item *item, struct err *err);
};

/* `taker` may be NULL. */
MUST_CHECK bool yaml_compose(struct arena *arena, const char *path, str text,
                             const struct yaml_taker *taker, struct yaml **ret_root,
                             struct err *err);

#endif
