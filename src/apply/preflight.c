/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/preflight.h"

static bool stops(const struct survey *survey, const struct finding *finding)
{
    enum finding_code code = finding->code;
    return code == FINDING_node_unreachable || code == FINDING_keystore_unreadable ||
           code == FINDING_keystore_password_wrong ||
           (code == FINDING_certificate_missing && !survey_shows_gone(survey, finding->where));
}

static bool is_clock(const struct survey *survey, const struct finding *finding)
{
    (void)survey;
    return finding->code == FINDING_clock_skew;
}

static bool refuse_for(const struct survey *survey,
                       bool (*is_one)(const struct survey *survey, const struct finding *finding),
                       struct err *err)
{
    for (size_t i = 0; i < survey->findings.count; i++) {
        const struct finding *finding = &survey->findings.items[i];
        if (!is_one(survey, finding))
            continue;
        (void)err_set(err, ERR_REFUSED, "%.*s: %.*s", STR_ARG(finding->where),
                      STR_ARG(finding->text));
        if (finding->next.len > 0)
            (void)err_next(err, "%.*s", STR_ARG(finding->next));
        return false;
    }
    return true;
}

bool preflight_survey(const struct survey *survey, struct err *err)
{
    return refuse_for(survey, stops, err);
}

bool preflight_clocks(const struct survey *survey, struct err *err)
{
    return refuse_for(survey, is_clock, err);
}

bool preflight_nodes(struct apply *apply, struct err *err)
{
    for (size_t i = 0; i < apply->plan->steps.count; i++) {
        AUTO(json) json_t *answer = NULL;
        const struct step *step = &apply->plan->steps.items[i];
        if (step->kind == STEP_snapshot && !apply_ask(apply, step, "preflight", &answer, err))
            return err_wrap(err, "refused before anything was changed");
    }
    return true;
}
