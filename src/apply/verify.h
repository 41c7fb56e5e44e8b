/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.h - every connection of the services that changed, made on the wire by its real peer.
 *
 * A link is good when its client, from its own node and with its own files, is accepted by the
 * application, is shown the certificate that the server's store holds, and, where it is a standby,
 * streams with the certificate that its own store holds.
 */
#ifndef APPLY_VERIFY_H
#define APPLY_VERIFY_H

#include "apply/run.h"

/* Verify the links of the services that verify steps of `approved` name; each step is noted. A
   service that does not run is noted as waiting: it is verified when it starts. */
MUST_CHECK bool apply_verify(struct apply *apply, const struct approved *approved, struct err *err);

#endif
