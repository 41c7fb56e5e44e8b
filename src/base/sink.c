/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sink.h"

#include <stdlib.h>

bool sink_open(struct sink *sink, struct err *err)
{
    *sink = (struct sink){ 0 };
    sink->file = open_memstream(&sink->text, &sink->len);
    return sink->file != NULL || err_errno(err, "memory");
}

str sink_text(struct sink *sink)
{
    fflush(sink->file);
    return (str){ sink->text, sink->len };
}

void sink_close(struct sink *sink)
{
    if (sink->file != NULL)
        fclose(sink->file);
    free(sink->text);
    *sink = (struct sink){ 0 };
}
