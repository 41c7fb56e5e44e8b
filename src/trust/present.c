/* SPDX-License-Identifier: Apache-2.0 */
#include "trust/present.h"

uint32_t present_chain(struct facts *facts, uint32_t chain, uint32_t own_anchors, moment at,
                       moment *since, moment *until)
{
    struct model *model = facts->model;
    struct path path;
    if (chain == NO_ID || own_anchors == NO_ID ||
        model->chains.items[chain].len != sizeof(uint32_t))
        return chain;
    path_build(facts, model->chains.items[chain], model->anchor_sets.items[own_anchors], at, &path);
    if (path.count == 1)
        return chain;
    *since = path.since > *since ? path.since : *since;
    *until = path.until < *until ? path.until : *until;
    return model_chain(model, path.certs, path.count);
}
