/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/requests.h"

#include "apply/forget.h"
#include "base/io.h"
#include "cmd/applying.h"
#include "state/place.h"

bool requests_cluster(struct cmd *cmd, const char *certificate, struct cluster *ret_cluster,
                      bool *ret_found, struct err *err)
{
    *ret_found = false;
    if (certificate != NULL || !open_is_there(cmd))
        return true;
    if (!open_cluster(cmd, ret_cluster, err))
        return false;
    *ret_found = ret_cluster->issuer.line > 0;
    return true;
}

/* Every request of the cluster and what came for it, by the cluster file alone: who signs is known
   where it is declared. */
static bool read_all(struct cmd *cmd, const struct cluster *cluster, struct delivery_terms *terms,
                     awaited_list *ret_list, struct err *err)
{
    str certificate = cluster->issuer.certificate;
    *terms =
        (struct delivery_terms){ .now = clock_now(), .renew_before = cluster->policy.renew_before };
    return (certificate.len == 0 || delivered_read(&cmd->arena, str_cstr(&cmd->arena, certificate),
                                                   &terms->authority, err)) &&
           awaited_read(&cmd->arena, cluster, terms, ret_list, err);
}

static bool must_be_asked(struct cmd *cmd, const struct cluster *cluster, struct err *err)
{
    if (awaited_any(cluster))
        return true;
    (void)err_set(err, ERR_USAGE, "the issuer of %.*s signs by itself: it is not sent requests",
                  STR_ARG(cluster->path));
    return err_next(err, "%.*s", STR_ARG(cmd_line(cmd, "issuer list")));
}

bool requests_delivered(struct cmd *cmd, const struct cluster *cluster, str_list *ret_steps,
                        struct err *err)
{
    struct delivery_terms terms;
    awaited_list list = { 0 };
    *ret_steps = (str_list){ 0 };
    if (awaited_any(cluster) && !read_all(cmd, cluster, &terms, &list, err))
        return false;
    for (size_t i = 0; i < list.count; i++)
        if (list.items[i].here && list.items[i].problem.len == 0)
            list_push(&cmd->arena, ret_steps) = list.items[i].csr.step;
    return true;
}

/* ---- list ---- */

static const char *state_of(const struct awaited *awaited)
{
    return awaited->problem.len > 0 ? "wrong" : awaited->here ? "here" : "waiting";
}

struct counts {
    size_t waiting, wrong;
};

static struct counts count(const awaited_list *list)
{
    struct counts counts = { 0 };
    for (size_t i = 0; i < list->count; i++) {
        counts.waiting += !list->items[i].here;
        counts.wrong += list->items[i].problem.len > 0;
    }
    return counts;
}

static void list_json(struct cmd *cmd, const char *directory, const awaited_list *list)
{
    struct emit emit = cmd_emit(cmd);
    emit_object(&emit, NULL);
    emit_text(&emit, "directory", directory);
    emit_array(&emit, "requests");
    for (size_t i = 0; i < list->count; i++) {
        const struct awaited *awaited = &list->items[i];
        const struct csr *csr = &awaited->csr;
        emit_object(&emit, NULL);
        emit_str(&emit, "name", csr->name);
        emit_str(&emit, "node", csr->node);
        emit_str(&emit, "store", csr->store);
        emit_str(&emit, "step", csr->step);
        emit_moment(&emit, "since", csr->since);
        emit_str(&emit, "subject", csr->subject);
        emit_list(&emit, "san", &csr->san);
        emit_str(&emit, "spki_sha256", csr->spki_sha256);
        emit_str(&emit, "request", csr_path(&cmd->arena, directory, csr, ".csr"));
        emit_str(&emit, "certificate", csr_path(&cmd->arena, directory, csr, ".crt"));
        emit_text(&emit, "state", state_of(awaited));
        emit_text(&emit, "problem", awaited->problem.len == 0 ? NULL : awaited->problem.ptr);
        emit_object_end(&emit);
    }
    emit_array_end(&emit);
    emit_object_end(&emit);
    emit_end(&emit);
}

static void list_text(struct cmd *cmd, const char *directory, const awaited_list *list)
{
    struct counts counts = count(list);
    if (list->count == 0) {
        fprintf(cmd->out, "nothing is waited for in %s\n", directory);
        return;
    }
    fprintf(cmd->out, "%-20s  %-7s  %-32s  %s\n", "SINCE", "STATE", "REQUEST", "SUBJECT");
    for (size_t i = 0; i < list->count; i++) {
        const struct awaited *awaited = &list->items[i];
        fprintf(cmd->out, "%s  %-7s  %-32.*s  %.*s\n",
                clock_format(&cmd->arena, awaited->csr.since).ptr, state_of(awaited),
                STR_ARG(awaited->csr.name), STR_ARG(awaited->csr.subject));
        if (awaited->problem.len > 0)
            fprintf(cmd->out, "  %.*s\n", STR_ARG(awaited->problem));
    }
    fprintf(cmd->out, "\nin %s\nnext: %.*s\n", directory,
            STR_ARG(counts.waiting + counts.wrong > 0 ? cmd_line(cmd, "issuer deliver FILE...")
                                                      : cmd_line(cmd, "renew")));
}

int requests_list(struct cmd *cmd, const struct cluster *cluster, struct err *err)
{
    const char *directory = str_cstr(&cmd->arena, cluster->issuer.directory);
    struct delivery_terms terms;
    awaited_list list;
    if (!read_all(cmd, cluster, &terms, &list, err))
        return EXIT_FAILED;
    if (cmd->global.json)
        list_json(cmd, directory, &list);
    else
        list_text(cmd, directory, &list);
    return count(&list).wrong > 0 ? EXIT_FAILED : EXIT_OK;
}

/* ---- deliver ---- */

/* Certificates from the files that were named, and which file each is from. */
struct delivery {
    cert_list certs;
    word_list files; /* as many */
};

struct taken {
    const struct awaited *awaited;
    struct delivered delivered;
};
typedef LIST(struct taken) taken_list;

static bool read_files(struct cmd *cmd, struct delivery *delivery, struct err *err)
{
    for (size_t i = 0; i < cmd->words.count; i++) {
        cert_list certs;
        if (!delivered_read(&cmd->arena, cmd->words.items[i], &certs, err))
            return false;
        for (size_t k = 0; k < certs.count; k++) {
            list_push(&cmd->arena, &delivery->certs) = certs.items[k];
            list_push(&cmd->arena, &delivery->files) = cmd->words.items[i];
        }
    }
    return true;
}

static const char *file_of(const struct delivery *delivery, const struct cert *cert)
{
    return delivery->files.items[cert - delivery->certs.items];
}

static void add_trouble(struct cmd *cmd, struct buf *trouble, const char *file, const char *why)
{
    buf_printf(&cmd->arena, trouble, "%s%s: %s", trouble->bytes.count == 0 ? "" : "\n  ", file,
               why);
}

/* A certificate that is nobody's and no CA's was not sent for nothing. */
static void find_strays(struct cmd *cmd, const struct delivery *delivery, const csr_list *all,
                        struct buf *trouble)
{
    for (size_t i = 0; i < delivery->certs.count; i++) {
        const struct cert *cert = &delivery->certs.items[i];
        bool wanted = cert->ca;
        for (size_t k = 0; k < all->count; k++)
            wanted = wanted || str_eq(all->items[k].spki_sha256, cert->spki_sha256);
        if (!wanted)
            add_trouble(cmd, trouble, delivery->files.items[i],
                        str_printf(&cmd->arena,
                                   "%.*s is for no key that a certificate is waited for",
                                   STR_ARG(cert_label(&cmd->arena, cert)))
                            .ptr);
    }
}

static void match_all(struct cmd *cmd, const struct delivery *delivery, const awaited_list *list,
                      const struct delivery_terms *terms, taken_list *ret_taken,
                      struct buf *trouble)
{
    csr_list all = { 0 };
    for (size_t i = 0; i < list->count; i++)
        list_push(&cmd->arena, &all) = list->items[i].csr;
    find_strays(cmd, delivery, &all, trouble);
    for (size_t i = 0; i < list->count; i++) {
        AUTO(err) struct err why = { 0 };
        struct taken taken = { .awaited = &list->items[i] };
        const struct cert *leaf = delivered_leaf(&all.items[i], &delivery->certs);
        if (leaf == NULL)
            continue;
        if (delivered_match(&cmd->arena, &all.items[i], &all, &delivery->certs, terms,
                            &taken.delivered, &why))
            list_push(&cmd->arena, ret_taken) = taken;
        else
            add_trouble(cmd, trouble, file_of(delivery, leaf), why.msg);
    }
}

static size_t still_missing(const awaited_list *list, const taken_list *taken)
{
    size_t missing = 0;
    for (size_t i = 0; i < list->count; i++) {
        bool there = list->items[i].here && list->items[i].problem.len == 0;
        for (size_t k = 0; k < taken->count; k++)
            there = there || taken->items[k].awaited == &list->items[i];
        missing += !there;
    }
    return missing;
}

static void deliver_json(struct cmd *cmd, const taken_list *taken, size_t missing)
{
    struct emit emit = cmd_emit(cmd);
    emit_object(&emit, NULL);
    emit_array(&emit, "delivered");
    for (size_t i = 0; i < taken->count; i++) {
        const struct csr *csr = &taken->items[i].awaited->csr;
        const struct cert *leaf = &taken->items[i].delivered.chain.items[0];
        emit_object(&emit, NULL);
        emit_str(&emit, "name", csr->name);
        emit_str(&emit, "node", csr->node);
        emit_str(&emit, "store", csr->store);
        emit_str(&emit, "sha256", leaf->sha256);
        emit_moment(&emit, "not_after", leaf->not_after);
        emit_object_end(&emit);
    }
    emit_array_end(&emit);
    emit_int(&emit, "waiting", (int64_t)missing);
    emit_object_end(&emit);
    emit_end(&emit);
}

static void deliver_text(struct cmd *cmd, const taken_list *taken, size_t missing)
{
    for (size_t i = 0; i < taken->count; i++) {
        const struct csr *csr = &taken->items[i].awaited->csr;
        fprintf(cmd->out, "%.*s/%.*s: %.*s\n", STR_ARG(csr->node), STR_ARG(csr->store),
                STR_ARG(cert_label(&cmd->arena, &taken->items[i].delivered.chain.items[0])));
    }
    if (missing > 0)
        fprintf(cmd->out, "\n%zu %s still waited for\nnext: %.*s\n", missing,
                missing == 1 ? "is" : "are", STR_ARG(cmd_line(cmd, "issuer list")));
    else
        fprintf(cmd->out, "\nall are here\nnext: %.*s\n", STR_ARG(cmd_line(cmd, "renew")));
}

static bool write_all(struct cmd *cmd, const struct cluster *cluster, const taken_list *taken,
                      struct err *err)
{
    const char *directory = str_cstr(&cmd->arena, cluster->issuer.directory);
    const struct io_owner for_all = { (uid_t)-1, (gid_t)-1, 0644 };
    for (size_t i = 0; i < taken->count; i++) {
        str path = csr_path(&cmd->arena, directory, &taken->items[i].awaited->csr, ".crt");
        if (!io_replace(path.ptr, taken->items[i].delivered.pem, for_all, err))
            return false;
    }
    return true;
}

static int run_deliver(struct cmd *cmd, struct err *err)
{
    struct cluster cluster;
    struct delivery_terms terms;
    struct delivery delivery = { 0 };
    awaited_list list;
    taken_list taken = { 0 };
    struct buf trouble = { 0 };
    if (!open_cluster(cmd, &cluster, err) || !must_be_asked(cmd, &cluster, err) ||
        !read_all(cmd, &cluster, &terms, &list, err) || !read_files(cmd, &delivery, err))
        return EXIT_FAILED;
    match_all(cmd, &delivery, &list, &terms, &taken, &trouble);
    if (trouble.bytes.count == 0 && taken.count == 0)
        add_trouble(cmd, &trouble, cmd->words.items[0], "holds no certificate that is waited for");
    if (trouble.bytes.count > 0) {
        (void)err_set(err, ERR_REFUSED, "%s", buf_str(&trouble).ptr);
        (void)err_next(err, "%.*s", STR_ARG(cmd_line(cmd, "issuer list")));
        return EXIT_FAILED;
    }
    if (!write_all(cmd, &cluster, &taken, err))
        return EXIT_FAILED;
    if (cmd->global.json)
        deliver_json(cmd, &taken, still_missing(&list, &taken));
    else
        deliver_text(cmd, &taken, still_missing(&list, &taken));
    return EXIT_OK;
}

const struct command command_deliver = {
    .name = "deliver",
    .arguments = "FILE...",
    .summary = "bring what the authority sent to the requests that wait for it",
    .description =
        "Certificates are told by their keys, whatever the files are called; what else is in the\n"
        "files becomes their chain. All are taken or none: a certificate for another key, without\n"
        "a name or a usage that was asked for, out of date, soon due again or of another "
        "authority\n"
        "is refused. Nothing is changed at any node: `reseal renew` goes on when all are here.",
    .examples = "reseal issuer deliver db1.cer chain.pem\nreseal issuer deliver answers/*",
    .words_min = 1,
    .words_max = ANY_WORDS,
    .run = run_deliver,
};

/* ---- forget ---- */

struct forget_options {
    bool all;
    struct applying_flags applying;
};

// clang-format off
static const struct option forget_rows[] = {
    { "all", 'a', OPTION_FLAG, NULL, "every request of the cluster", NULL, OPTION_AT(struct forget_options, bool, all) },
    APPLYING_YES(struct forget_options, applying),
    APPLYING_TAKE_OVER(struct forget_options, applying),
    { 0 },
};
// clang-format on

/* Says which there are, behind what is wrong with the words. */
static bool refuse(struct cmd *cmd, const csr_list *all, const char *what, struct err *err)
{
    struct buf names = { 0 };
    buf_add(&cmd->arena, &names, all->count == 0 ? S("none is waited for") : S("there are"));
    for (size_t i = 0; i < all->count; i++)
        buf_printf(&cmd->arena, &names, "%s %.*s", i == 0 ? "" : ",", STR_ARG(all->items[i].name));
    (void)err_set(err, ERR_USAGE, "%s: %.*s", what, STR_ARG(buf_str(&names)));
    return err_next(err, "%.*s", STR_ARG(cmd_line(cmd, "issuer list")));
}

/* The requests that are named. */
static bool choose(struct cmd *cmd, const csr_list *all, csr_list *ret_chosen, struct err *err)
{
    const struct forget_options *given = cmd->options;
    *ret_chosen = (csr_list){ 0 };
    if (given->all == (cmd->words.count > 0))
        return refuse(cmd, all, "name the requests to forget, or --all", err);
    if (given->all)
        *ret_chosen = *all;
    for (size_t i = 0; i < cmd->words.count; i++) {
        size_t at = 0;
        while (at < all->count && !str_eq(all->items[at].name, str_c(cmd->words.items[i])))
            at++;
        if (at == all->count)
            return refuse(
                cmd, all,
                str_printf(&cmd->arena, "no request is called %s", cmd->words.items[i]).ptr, err);
        list_push(&cmd->arena, ret_chosen) = all->items[at];
    }
    return true;
}

static str forget_line(struct cmd *cmd, const char *more)
{
    const struct forget_options *given = cmd->options;
    struct buf names = { 0 };
    buf_add(&cmd->arena, &names, S(""));
    for (size_t i = 0; i < cmd->words.count; i++)
        buf_printf(&cmd->arena, &names, " %s", cmd->words.items[i]);
    return cmd_line(cmd, "issuer forget%s%s%s", given->all ? " --all" : "", buf_str(&names).ptr,
                    more);
}

/* An apply that waits for it learns that it is undone: the next run asks anew. */
static bool note_undone(struct cmd *cmd, struct journal *journal, str cluster,
                        const struct csr *csr, struct err *err)
{
    struct journal_apply stopped;
    struct approved plan;
    bool found;
    struct journal_event event = { csr->step, JOURNAL_UNDONE, clock_now(),
                                   S("the request is forgotten and its key wiped") };
    if (!journal_unfinished(&cmd->arena, journal, cluster, &found, &stopped, err))
        return false;
    if (!found)
        return true;
    if (!approved_parse(&cmd->arena, stopped.plan, &plan, err))
        return err_wrap(err, "the journal's plan of apply %lld", (long long)stopped.id);
    return !approved_has(&plan, csr->step) || journal_step(journal, stopped.id, &event, err);
}

static bool forget_all(struct cmd *cmd, struct fleet *fleet, const struct cluster *cluster,
                       const csr_list *chosen, struct err *err)
{
    const struct forget_options *given = cmd->options;
    AUTO(hold) struct hold hold = { 0 };
    AUTO(journal) struct journal *journal = NULL;
    str state, holder = S("");
    str id = hold_cluster_id(&cmd->arena, cluster);
    if (!state_place(&cmd->arena, cmd->global.state, &state, err) ||
        !journal_open(state, &journal, err))
        return false;
    if (!hold_take(&cmd->arena, fleet, id, str_c(given->applying.take_over), &hold, &holder, err))
        return holder.len > 0 &&
               err_next(err, "%s --take-over '%.*s'", forget_line(cmd, "").ptr, STR_ARG(holder));
    for (size_t i = 0; i < chosen->count; i++)
        if (!forget_request(&hold, str_cstr(&cmd->arena, cluster->issuer.directory),
                            &chosen->items[i], err) ||
            !note_undone(cmd, journal, id, &chosen->items[i], err))
            return false;
    return true;
}

static void say_forgotten(struct cmd *cmd, const csr_list *chosen)
{
    struct emit emit = cmd_emit(cmd);
    if (!cmd->global.json) {
        for (size_t i = 0; i < chosen->count; i++)
            fprintf(cmd->out, "%.*s: key wiped, files put away\n", STR_ARG(chosen->items[i].name));
        return;
    }
    emit_object(&emit, NULL);
    emit_array(&emit, "forgotten");
    for (size_t i = 0; i < chosen->count; i++)
        emit_str(&emit, NULL, chosen->items[i].name);
    emit_array_end(&emit);
    emit_object_end(&emit);
    emit_end(&emit);
}

static int run_forget(struct cmd *cmd, struct err *err)
{
    const struct forget_options *given = cmd->options;
    AUTO(fleet) struct fleet fleet = { 0 };
    struct cluster cluster;
    csr_list all, chosen;
    if (!open_cluster(cmd, &cluster, err) || !must_be_asked(cmd, &cluster, err) ||
        !csr_read(&cmd->arena, str_cstr(&cmd->arena, cluster.issuer.directory),
                  hold_cluster_id(&cmd->arena, &cluster), &all, err) ||
        !choose(cmd, &all, &chosen, err) ||
        !applying_agreed(cmd, given->applying.yes,
                         "Wipe these keys? No certificate fits after that.",
                         forget_line(cmd, " --yes").ptr, err))
        return EXIT_FAILED;
    fleet_open(&cmd->arena, &cluster, NULL, &fleet);
    if (!forget_all(cmd, &fleet, &cluster, &chosen, err))
        return EXIT_FAILED;
    say_forgotten(cmd, &chosen);
    return EXIT_OK;
}

const struct command command_forget = {
    .name = "forget",
    .arguments = "REQUEST...",
    .summary = "wait for these requests no longer and wipe their keys",
    .description =
        "The keys are overwritten at their nodes, the files go to old/ in the issuer's directory.\n"
        "A renewal that still needs a certificate makes a new key and a new request when it is "
        "run\n"
        "again; `reseal rollback` gives the whole renewal up.",
    .examples = "reseal issuer forget db1-server-0a1b2c3d\nreseal issuer forget --all --yes",
    .options = forget_rows,
    .options_size = sizeof(struct forget_options),
    .words_max = ANY_WORDS,
    .run = run_forget,
};
