/* SPDX-License-Identifier: Apache-2.0 */
#include "apply/issue.h"

static void keep_request(struct apply *apply, struct job *job, const json_t *answer)
{
    job->failed = !need_bytes(apply->arena, answer, "request", &job->request, &job->err) ||
                  !need_bytes(apply->arena, answer, "replaced", &job->replaced, &job->err);
}

static void keep_answer(struct apply *apply, struct job *job, const json_t *answer)
{
    job->evidence = answer_text(apply->arena, answer, "evidence");
}

/* ---- the local CA signs at once ---- */

static bool sign(struct apply *apply, struct job *job, const struct cert *replaced)
{
    struct issued issued;
    const struct policy_conf *policy = &apply->survey->cluster->policy;
    struct issue_request request = { .public_key = job->request,
                                     .replaced = replaced,
                                     .step = job->step->id,
                                     .now = clock_now(),
                                     .lifetime = policy->lifetime,
                                     .renew_before = policy->renew_before };
    if (!local_issue(apply->arena, apply->ca, &request, &issued, &job->err))
        return false;
    job->chain = issued.pem;
    return true;
}

/* ---- an authority is asked, and what has come is taken ---- */

static bool ask_authority(struct apply *apply, struct job *job, const struct cert *replaced)
{
    struct arena *arena = apply->arena;
    const char *directory = str_cstr(arena, apply->survey->cluster->issuer.directory);
    const struct awaited *awaited = awaited_find(apply->awaited, job->step->id);
    struct csr csr, kept;
    if (!csr_parse(arena, job->request, replaced, &csr, &job->err))
        return false;
    csr.cluster = apply->hold->cluster;
    csr.node = job->step->node;
    csr.store = job->step->store;
    csr.step = job->step->id;
    csr.since = clock_now();
    bool ours = awaited != NULL && str_eq(awaited->csr.spki_sha256, csr.spki_sha256);
    if (ours && awaited->pem.len > 0) {
        job->chain = awaited->pem;
        return true;
    }
    if (!csr_keep(arena, directory, &csr, job->request, apply->authority, &kept, &job->err))
        return false;
    job->waiting = true;
    job->evidence = str_printf(arena, "%s, the answer to the .csr beside it",
                               csr_path(arena, directory, &kept, ".crt").ptr);
    return true;
}

void apply_issue(struct apply *apply, struct job *jobs, size_t count)
{
    bool (*const get)(struct apply * apply, struct job * job, const struct cert *replaced) =
        awaited_any(apply->survey->cluster) ? ask_authority : sign;
    dispatch(apply, jobs, count, "request", keep_request);
    for (size_t i = 0; i < count; i++) {
        struct cert replaced;
        if (!jobs[i].failed && !jobs[i].over)
            jobs[i].failed = !cert_parse(apply->arena, jobs[i].replaced, &replaced, &jobs[i].err) ||
                             !get(apply, &jobs[i], &replaced);
    }
    dispatch(apply, jobs, count, "deliver", keep_answer);
}
