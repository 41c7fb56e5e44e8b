/* SPDX-License-Identifier: Apache-2.0 */
#include "lab/kind.h"

#define LAB_KIND(id, text) &lab_##id,
const struct lab_kind *const lab_kinds[] = { LAB_KINDS(LAB_KIND) NULL };
#undef LAB_KIND

const struct lab_kind *lab_kind_find(str name)
{
    for (size_t i = 0; lab_kinds[i] != NULL; i++)
        if (str_eq(name, str_c(lab_kinds[i]->name)))
            return lab_kinds[i];
    return NULL;
}
