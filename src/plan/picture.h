/* SPDX-License-Identifier: Apache-2.0 */
/*
 * picture.h - who presents and who trusts what in one state, in groups of the same: what people
 * read of a state, at ten services as at a thousand.
 *
 * An authority is named by its CN, or by its whole subject; where several of the cluster have that
 * name, by its key or, where the key is the same too, by its fingerprint.
 */
#ifndef PLAN_PICTURE_H
#define PLAN_PICTURE_H

#include "plan/state.h"

/* Names for people, each made once. */
struct names {
    struct arena *arena; /* borrowed; everything lives there */
    struct judge *judge; /* borrowed */
    LIST(uint32_t) authorities;
    LIST(str) texts;                      /* of authorities, by cert id; empty: not asked for yet */
    unsigned char *identities, *trusters; /* by service: how many it has, 2 for more */
};
void names_init(struct names *names, struct arena *arena, struct judge *judge);

/* "Root", "Root (key 1a2b3c4d)", "Root (1a2b3c4d)"; "pin 1a2b3c4d". */
str name_of_authority(struct names *names, uint32_t cert);

/* The authority whose signature the certificate has, where the cluster knows it, else the name
   that it gives. */
str name_of_issuer(struct names *names, uint32_t cert);
uint32_t issuer_of(struct names *names, uint32_t cert); /* its cert id, or NO_ID */

/* "node/service", with ":store" where the service has several. */
str name_of_identity(const struct names *names, uint32_t identity);
str name_of_truster(const struct names *names, uint32_t truster);

/* Of the first certificate of a chain: "1a2b3c4d", "new", or "nothing". */
str name_of_leaf(const struct names *names, uint32_t chain);

/* Those of which the same is to be said. */
struct picture_group {
    str what;           /* "Root", of trusters "Root, Second": loaded */
    str stored;         /* of trusters: what is stored, where that is something else */
    LIST(uint32_t) ids; /* identities or trusters */
    size_t fresh;       /* so many of the identities show a planned certificate */
    size_t pending;     /* so many of them have another certificate stored */
    uint32_t order;     /* by which groups are sorted: what was there first comes first */
};
typedef LIST(struct picture_group) picture_groups;

struct picture {
    picture_groups presents, trusts;
};
void picture_make(struct arena *arena, struct names *names, const struct state *state,
                  struct picture *ret_picture);

#endif
