/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fleet.h - a synthetic cluster on disk, as the bench reads it.
 *
 * SERVICES services on nodes of a hundred, each with a certificate of its own under one
 * intermediate; LINKS links, spread evenly, verified in both directions. In a folder:
 * cluster.yaml, root.pem, second.pem (another root, also an issuer), middle.pem, leaf0.pem, and
 * leaves.der: for each service four bytes of length in the machine's order, then the certificate.
 */
#ifndef BENCH_FLEET_H
#define BENCH_FLEET_H

#include "base/str.h"

enum { FLEET_NODE = 100 }; /* services on a node */

void fleet_make(const char *folder, size_t services, size_t links);

/* "FOLDER/name", which lives in the arena. */
const char *fleet_path(struct arena *arena, const char *folder, const char *name);

#endif
