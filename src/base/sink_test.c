/* SPDX-License-Identifier: Apache-2.0 */
#include "base/sink.h"

#include "tests/test.h"

TEST(a_sink_gives_back_what_was_written_to_it)
{
    AUTO(err) struct err err = { 0 };
    AUTO(sink) struct sink sink = { 0 };
    check_ok(sink_open(&sink, &err), &err);
    check_str(sink_text(&sink), S(""));
    fprintf(sink.file, "%d\n", 7);
    check_str(sink_text(&sink), S("7\n"));
}
