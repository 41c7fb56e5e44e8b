/* SPDX-License-Identifier: Apache-2.0 */
#include "node/worker.h"

#include "base/io.h"
#include "base/sink.h"
#include "node/lease.h"

#include <sys/prctl.h>
#include <sys/resource.h>

static const struct op *op_find(str name, struct err *err)
{
    for (const struct op *op = worker_ops; op->name != NULL; op++)
        if (str_eq(str_c(op->name), name))
            return op;
    (void)err_set(err, ERR_USAGE, "this node has no operation \"%.*s\"", STR_ARG(name));
    return NULL;
}

static bool fence(const struct worker *worker, const json_t *body, int *ret_lock, struct err *err)
{
    struct lease_place place = { .state = worker->state };
    int64_t token;
    return need_text(body, "cluster", &place.cluster, err) &&
           take_int(body, "token", 0, &token, err) && lease_check(&place, token, ret_lock, err);
}

static bool carry_out(const struct worker *worker, const struct request *request, FILE *out,
                      struct err *err)
{
    AUTO(arena) struct arena arena = { .wipe = true };
    AUTO(fd) int lock = -1; /* until the operation is done */
    const struct op *op = op_find(request->op, err);
    if (op == NULL || (op->changes && !fence(worker, request->body, &lock, err)))
        return false;
    struct emit emit = { .out = out, .one_line = true };
    emit_object(&emit, NULL);
    emit_int(&emit, "id", request->id);
    emit_bool(&emit, "ok", true);
    if (!op->run(worker, &arena, request->body, &emit, err))
        return false;
    emit_object_end(&emit);
    emit_end(&emit);
    return true;
}

static bool answer(const struct worker *worker, str line, int out, struct err *err)
{
    AUTO(request) struct request request = { 0 };
    AUTO(err) struct err bad = { 0 };
    AUTO(sink) struct sink good = { 0 }, failed = { 0 };
    if (!sink_open(&good, err) || !sink_open(&failed, err))
        return false;
    if (request_parse(line, &request, &bad) && carry_out(worker, &request, good.file, &bad))
        return io_write_all(out, sink_text(&good), err);
    answer_error(failed.file, request.id, &bad);
    return io_write_all(out, sink_text(&failed), err);
}

bool worker_serve(const struct worker *worker, int in, int out, struct err *err)
{
    AUTO(arena) struct arena arena = { .wipe = true };
    struct line_reader reader = { .fd = in, .arena = &arena };
    for (;;) {
        str line;
        enum line_state state = line_next(&reader, &line);
        if (state == LINE_READY) {
            if (!answer(worker, line, out, err))
                return false;
            continue;
        }
        if (state == LINE_NEEDS_MORE)
            state = line_fill(&reader);
        if (state == LINE_END)
            return true;
        if (state == LINE_TOO_LONG)
            return err_set(err, ERR_FORMAT, "a request is longer than %d bytes", PROTOCOL_LINE_MAX);
    }
}

bool worker_harden(struct err *err)
{
    struct rlimit none = { 0, 0 };
    /* The limit alone does not stop a core_pattern that is a pipe. */
    if (setrlimit(RLIMIT_CORE, &none) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
        return err_errno(err, "switch core dumps off");
    return true;
}
