/* SPDX-License-Identifier: Apache-2.0 */
#include "cause/catalogue.h"

static const struct cause_row causes[CAUSE_COUNT] = {
#define CAUSE_ROW(id, title, meaning, confirm, remedy) \
    [CAUSE_##id] = { #id, title, meaning, confirm, remedy },
    CAUSES(CAUSE_ROW)
#undef CAUSE_ROW
};

static const struct finding_row findings[FINDING_COUNT] = {
#define FINDING_ROW(id, severity, cause, meaning) \
    [FINDING_##id] = { #id, SEVERITY_##severity, CAUSE_##cause, meaning },
    FINDINGS(FINDING_ROW)
#undef FINDING_ROW
};

const struct cause_row *cause_row(enum cause cause)
{
    return cause == CAUSE_none ? NULL : &causes[cause];
}

const char *cause_code(enum cause cause)
{
    return cause == CAUSE_none ? NULL : causes[cause].code;
}

bool cause_parse(str code, enum cause *ret_cause)
{
    for (int cause = CAUSE_none + 1; cause < CAUSE_COUNT; cause++)
        if (str_eq(code, str_c(causes[cause].code))) {
            *ret_cause = (enum cause)cause;
            return true;
        }
    return false;
}

const struct finding_row *finding_row(enum finding_code code)
{
    return &findings[code];
}

bool finding_parse(str code, enum finding_code *ret_code)
{
    for (int row = 0; row < FINDING_COUNT; row++)
        if (str_eq(code, str_c(findings[row].code))) {
            *ret_code = (enum finding_code)row;
            return true;
        }
    return false;
}

const char *severity_name(enum severity severity)
{
    static const char *const names[] = {
        [SEVERITY_INFO] = "info", [SEVERITY_WARNING] = "warning", [SEVERITY_CRITICAL] = "critical"
    };
    return names[severity];
}

struct finding *finding_add(struct arena *arena, finding_list *list, enum finding_code code,
                            str where, str text)
{
    struct finding *finding = &list_push(arena, list);
    *finding = (struct finding){
        .code = code,
        .severity = findings[code].severity,
        .where = str_copy(arena, where),
        .text = str_copy(arena, text),
    };
    return finding;
}

void finding_emit(struct emit *emit, const struct finding *finding)
{
    emit_object(emit, NULL);
    emit_text(emit, "code", findings[finding->code].code);
    emit_text(emit, "cause", cause_code(findings[finding->code].cause));
    emit_text(emit, "severity", severity_name(finding->severity));
    emit_str(emit, "where", finding->where);
    emit_str(emit, "text", finding->text);
    emit_text(emit, "next", finding->next.len == 0 ? NULL : finding->next.ptr);
    emit_object_end(emit);
}

void findings_emit(struct emit *emit, const char *name, const finding_list *list)
{
    emit_array(emit, name);
    for (size_t i = 0; i < list->count; i++)
        finding_emit(emit, &list->items[i]);
    emit_array_end(emit);
}
