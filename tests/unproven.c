/* SPDX-License-Identifier: Apache-2.0 */
/* In place of src/plan/proof.c, in a test program that is to carry out a plan which the proof
   refuses: nothing is judged and every plan passes. The program that is shipped has no such
   switch. */
#include "plan/plan.h"

void plan_prove(struct arena *arena, struct judge *judge, moment now, struct plan *plan)
{
    (void)arena, (void)judge, (void)now;
    plan->proven = true;
}
