/* SPDX-License-Identifier: Apache-2.0 */
/* outcome.h - what came of opening a private key. */
#ifndef STORE_OUTCOME_H
#define STORE_OUTCOME_H

enum key_outcome {
    KEY_OPEN,
    KEY_LOCKED,         /* encrypted, and no password was given */
    KEY_WRONG_PASSWORD, /* encrypted, and the password does not open it */
    KEY_TOO_COSTLY,     /* more derivation rounds than KEY_ROUNDS_MAX: not tried */
    KEY_MALFORMED       /* not a private key at all */
};

/* About ten seconds of work; real keys have 2,048 to 1,000,000. */
enum { KEY_ROUNDS_MAX = 10 * 1000 * 1000 };

#endif
