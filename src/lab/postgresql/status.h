/* SPDX-License-Identifier: Apache-2.0 */
/* status.h - what PostgreSQL servers say of themselves, and the files that are in use. */
#ifndef LAB_POSTGRESQL_STATUS_H
#define LAB_POSTGRESQL_STATUS_H

#include "lab/lab.h"

void lab_postgresql_ask(struct arena *arena, const struct lab *lab, size_t node,
                        struct lab_node_status *status);
MUST_CHECK bool lab_postgresql_node_files(struct arena *arena, const struct lab *lab, size_t node,
                                          lab_file_list *files, struct err *err);
MUST_CHECK bool lab_postgresql_client_files(struct arena *arena, const struct lab *lab,
                                            lab_file_list *files, struct err *err);

#endif
