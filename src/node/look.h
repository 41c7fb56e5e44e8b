/* SPDX-License-Identifier: Apache-2.0 */
/*
 * look.h - one node as it is, in one answer: what was discovered, what every store holds, what each
 * service presents and who is connected to it.
 */
#ifndef NODE_LOOK_H
#define NODE_LOOK_H

#include "node/driver.h"
#include "node/protocol.h"

struct look {
    const struct driver *driver;
    struct driver_call *call; /* its node as declared; resolved by the look */
    struct cluster *fragment; /* that holds the node */
    int64_t renew_before;     /* seconds, for the findings of stores */
    moment now;               /* which stores are judged at */
    bool connect;             /* probe services and ask who is connected */
};

/*
 * Adds to the object that is open:
 *
 *     "fragment": text of a cluster file with this node alone and its links
 *     "findings": […]
 *     "stores":   [{"name", "kind": "identity|trust", "certificates": [base64 DER],
 *                   "key_spki_sha256", "matches", "states": [{"path","state"}]},
 *                  {"name", "kind": "trust", "pins": ["sha256//…", "cert:sha256:…"], "states"}]
 *     "services": [{"name", "outcome", "text", "presented": [base64 DER],
 *                   "named": [{"name", "presented"}], "certificate_requested",
 *                   "acceptable_cas": [], "peers": [{…}],
 *                   "loaded": [{"store", "certificates": [base64 DER]}]}]
 */
MUST_CHECK bool look_emit(const struct look *look, struct emit *emit, struct err *err);

#endif
