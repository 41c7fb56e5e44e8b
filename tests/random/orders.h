/* SPDX-License-Identifier: Apache-2.0 */
/*
 * orders.h - is there an order of steps in which no link breaks? Asked of plans that have an outage
 * or break something: they are right only if there is none.
 *
 * All orders are tried, of: the issuer into any store; each certificate that is due into its place;
 * any service made to load what is stored, as often as it changes something. States that were seen
 * are not tried again. Includes nothing of src/plan and src/trust (tools/lint).
 */
#ifndef TESTS_RANDOM_ORDERS_H
#define TESTS_RANDOM_ORDERS_H

#include "tests/random/replay.h"

/* Of so many services all orders are tried. */
enum { FEW_SERVICES = 8 };

enum orders { ORDERS_SAFE, ORDERS_NONE, ORDERS_TOO_MANY };

/* ORDERS_SAFE with `ret_text`: the order that was found. First each of the links that the plan
   breaks is looked at alone: what cannot be kept up alone cannot be kept up among others. */
enum orders orders_search(struct replay *replay, str *ret_text);

#endif
