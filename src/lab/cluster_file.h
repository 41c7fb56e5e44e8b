/* SPDX-License-Identifier: Apache-2.0 */
/* cluster_file.h - what the cluster files of all labs have in common. */
#ifndef LAB_CLUSTER_FILE_H
#define LAB_CLUSTER_FILE_H

#include "lab/lab.h"

/* Everything before the first node. */
void lab_cluster_begin(struct arena *arena, struct buf *buf, const struct lab *lab);

/* The client of lab_make_app(); `more` are further lines of its service, or the empty string. */
void lab_cluster_app(struct arena *arena, struct buf *buf, const char *more);

/* FOLDER/FILE in double quotes, as nginx, HAProxy, slapd and curl read them: a backslash takes the
   meaning of what follows it. nginx alone has no way to write a dollar sign, and does not start in
   such a folder. */
const char *lab_quote_path(struct arena *arena, str folder, const char *file);

/* Double-quoted YAML (1.2, 7.3.1), for paths that are not ours to choose. */
str lab_quote_yaml(struct arena *arena, str text);

#endif
