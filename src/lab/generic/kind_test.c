/* SPDX-License-Identifier: Apache-2.0 */
/* Covers config.c and kind.c. */
#include "lab/kind.h"

#include "base/io.h"
#include "lab/server.h"
#include "tests/test.h"

#include <stdlib.h>
#include <sys/stat.h>

TEST(a_generic_lab_has_slapd_and_a_haproxy_with_the_same_certificate_and_is_taken_down_whole)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct lab lab = { 0 };
    struct lab_status status;
    char space[] = "/tmp/lab generic XXXXXX";
    if (!lab_generic.find(&arena, &lab, &err))
        skip();
    check(mkdtemp(space) != NULL && chmod(space, 0755) == 0);
    struct lab_options options = {
        &lab_generic, str_printf(&arena, "%s/l", space), 0, LAB_HEALTHY, true, "reseal"
    };
    check_ok(lab_up(&arena, &options, &lab, &err), &err);
    check_ok(lab_status(&arena, lab.dir, &status, &err), &err);
    static const char *const roles[] = { "slapd", "HAProxy" };
    struct lab_process servers[COUNT(roles)];
    for (size_t i = 0; i < COUNT(roles); i++) {
        check(status.nodes[i].answered);
        check_str(status.nodes[i].role, str_c(roles[i]));
        check_int(status.nodes[i].certificates.count, 1);
        check_str(status.nodes[i].certificates.items[0].subject, S("CN=host.lab.example"));
        servers[i] = lab_server_of(&arena, &lab, i);
        check(lab_process_alive(&servers[i]));
    }
    check_int(status.app.count, 1);
    check_ok(lab_down(&arena, lab.dir, false, &err), &err);
    for (size_t i = 0; i < COUNT(roles); i++)
        check(!lab_process_alive(&servers[i]));
    check(rmdir(space) == 0);
}
