/* SPDX-License-Identifier: Apache-2.0 */
/* Covers kind.c, query.c, server.c and status.c. */
#include "lab/kind.h"

#include "base/io.h"
#include "lab/postgresql/query.h"
#include "lab/postgresql/server.h"
#include "tests/test.h"
#include "x509/auto.h"
#include "x509/cert.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { DAY = 86400 };

/* A lab in a folder with a blank in its name; down() is owed for each that came up. */
static void up(struct arena *arena, size_t nodes, enum lab_state state, struct lab *ret_lab)
{
    AUTO(err) struct err err = { 0 };
    char space[] = "/tmp/lab test XXXXXX";
    if (!lab_postgresql_find(arena, &(struct lab){ 0 }, &err))
        skip();
    check(mkdtemp(space) != NULL);
    struct lab_options options = {
        &lab_postgresql, str_printf(arena, "%s/l", space), nodes, state, true, "reseal"
    };
    check(chmod(space, 0755) == 0);
    check_ok(lab_up(arena, &options, ret_lab, &err), &err);
}

static void down(struct arena *arena, const struct lab *lab)
{
    AUTO(err) struct err err = { 0 };
    check_ok(lab_down(arena, lab->dir, false, &err), &err);
    check(access(lab->dir.ptr, F_OK) != 0);
    for (size_t i = 0; i < lab->count; i++)
        check(!lab_process_alive(&lab->nodes[i].server));
    check(rmdir(str_cstr(arena, io_dir_of(arena, lab->dir))) == 0);
}

/* Runs a line of shell as ourselves, with no code of ours in between; its outputs. */
static int shell(struct arena *arena, const struct lab *lab, str line, str *ret_output)
{
    AUTO(err) struct err err = { 0 };
    struct lab_process process;
    int status;
    str log = str_printf(arena, "%.*s/../output", STR_ARG(lab->dir));
    const struct lab_user self = { 0 };
    const char *const argv[] = { "/bin/sh", "-c", line.ptr, NULL };
    struct lab_command command = { .argv = argv, .log = log.ptr, .cwd = "/" };
    check_ok(lab_spawn(&self, &command, &process, &err), &err);
    check(waitpid(process.pid, &status, 0) == process.pid && WIFEXITED(status));
    check_ok(io_read(arena, log.ptr, 65536, ret_output, &err), &err);
    check(unlink(log.ptr) == 0);
    *ret_output = str_trim(*ret_output);
    return WEXITSTATUS(status);
}

static int psql(struct arena *arena, const struct lab *lab, const char *service, str *ret_output)
{
    return shell(arena, lab,
                 str_printf(arena,
                            "PGSERVICEFILE='%s/app/pg_service.conf' psql -XAtw service=%s -c "
                            "\"select current_user || ' ' || ssl from pg_stat_ssl where pid = "
                            "pg_backend_pid()\"",
                            lab->dir.ptr, service),
                 ret_output);
}

static bool has(str text, const char *part)
{
    return str_find(text, str_c(part)) < text.len;
}

static struct lab_status look(struct arena *arena, const struct lab *lab)
{
    AUTO(err) struct err err = { 0 };
    struct lab_status status;
    check_ok(lab_status(arena, lab->dir, &status, &err), &err);
    for (size_t i = 0; i < lab->count; i++) {
        check(status.nodes[i].running && status.nodes[i].answered);
        check_str(status.nodes[i].role, i > 0 ? S("replica") : S("primary"));
    }
    return status;
}

/* The serial of the certificate on disk, as pg_stat_ssl prints it. */
static str serial_on_disk(struct arena *arena, const struct lab *lab, size_t node)
{
    AUTO(err) struct err err = { 0 };
    str pem;
    str path = str_printf(arena, "%s/tls/client.crt", lab->nodes[node].home.ptr);
    check_ok(io_read(arena, path.ptr, 65536, &pem, &err), &err);
    AUTO(BIO) BIO *bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    AUTO(X509) X509 *x509 = PEM_read_bio_X509(bio, NULL, NULL, NULL);
    BIGNUM *number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x509), NULL);
    char *text = BN_bn2dec(number);
    str serial = str_copy(arena, str_c(text));
    OPENSSL_free(text);
    BN_free(number);
    return serial;
}

/* The serial that openssl's own client is shown by a server, and the one on disk. */
static str presented(struct arena *arena, const struct lab *lab, size_t node)
{
    str text;
    shell(arena, lab,
          str_printf(arena,
                     "openssl s_client -starttls postgres -connect 127.0.0.1:%u </dev/null "
                     "2>/dev/null | openssl x509 -noout -serial",
                     lab->nodes[node].port),
          &text);
    check(str_starts(text, S("serial=")));
    return text;
}

static str on_disk(struct arena *arena, const struct lab *lab, size_t node)
{
    str text;
    shell(arena, lab,
          str_printf(arena, "openssl x509 -noout -serial -in '%s/tls/server.crt'",
                     lab->nodes[node].home.ptr),
          &text);
    check(str_starts(text, S("serial=")));
    return text;
}

TEST(a_healthy_lab_streams_over_tls_and_its_client_connects_to_every_node)
{
    AUTO(arena) struct arena arena = { 0 };
    struct lab lab = { 0 };
    str output;
    up(&arena, 3, LAB_HEALTHY, &lab);
    struct lab_status status = look(&arena, &lab);
    check_int(status.nodes[0].streams.count, 2);
    for (size_t i = 0; i < 2; i++) {
        const struct lab_stream *stream = &status.nodes[0].streams.items[i];
        check_str(stream->name, lab.nodes[i + 1].name);
        check_str(stream->state, S("streaming"));
        check(str_starts(stream->tls, S("TLSv1.")));
        check_str(stream->certificate, serial_on_disk(&arena, &lab, i + 1));
        check_str(status.nodes[i + 1].receiver, S("streaming"));
    }
    check_int(psql(&arena, &lab, "db1", &output), 0);
    check_str(str_trim(output), S("app true"));
    check_int(psql(&arena, &lab, "db3", &output), 0);
    down(&arena, &lab);
}

TEST(an_expired_lab_runs_but_does_not_stream_and_psql_is_told_that_the_certificate_has_expired)
{
    AUTO(arena) struct arena arena = { 0 };
    struct lab lab = { 0 };
    str output;
    up(&arena, 2, LAB_EXPIRED, &lab);
    struct lab_status status = look(&arena, &lab);
    check_int(status.nodes[0].streams.count, 0);
    check(!str_eq(status.nodes[1].receiver, S("streaming")));
    check(status.nodes[1].certificates.items[1].not_after < clock_now());
    check(psql(&arena, &lab, "db1", &output) != 0);
    check(has(output, "certificate verify failed") || has(output, "certificate expired"));
    check(psql(&arena, &lab, "db2", &output) != 0);
    down(&arena, &lab);
}

TEST(half_renewed_is_one_node_renewed_one_not_and_one_whose_new_certificate_was_never_loaded)
{
    AUTO(arena) struct arena arena = { 0 };
    struct lab lab = { 0 };
    up(&arena, 3, LAB_HALF_RENEWED, &lab);
    struct lab_status status = look(&arena, &lab);
    static const bool renewed[] = { true, false, true };
    static const bool loaded[] = { true, true, false };
    for (size_t i = 0; i < 3; i++) {
        moment until = status.nodes[i].certificates.items[0].not_after;
        check((until > clock_now() + 80 * DAY) == renewed[i]);
        check(str_eq(presented(&arena, &lab, i), on_disk(&arena, &lab, i)) == loaded[i]);
    }
    check_int(status.nodes[0].streams.count, 2);
    down(&arena, &lab);
}

TEST(a_second_up_is_refused_and_what_lies_beside_the_lab_survives_down)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct lab lab = { 0 };
    struct lab again;
    up(&arena, 2, LAB_EXPIRED, &lab);
    struct lab_options options = { &lab_postgresql, lab.dir, 2, LAB_HEALTHY, true, "reseal" };
    check(!lab_up(&arena, &options, &again, &err) && err.kind == ERR_REFUSED);
    check(has(str_c(err.next), "reseal lab down"));
    str mine = str_printf(&arena, "%s/notes", lab.dir.ptr);
    struct io_owner owner = { (uid_t)-1, (gid_t)-1, 0600 };
    check_ok(io_replace(mine.ptr, S("mine"), owner, &err), &err);
    check_ok(lab_down(&arena, lab.dir, false, &err), &err);
    check(access(mine.ptr, F_OK) == 0);
    check(access(lab.nodes[0].home.ptr, F_OK) != 0);
    check(remove(mine.ptr) == 0 && rmdir(lab.dir.ptr) == 0);
    check(rmdir(str_cstr(&arena, io_dir_of(&arena, lab.dir))) == 0);
}

TEST(down_finds_a_server_whose_start_was_never_recorded_and_spares_a_stranger_with_its_old_pid)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct lab lab = { 0 };
    struct lab_process self;
    str text;
    up(&arena, 2, LAB_EXPIRED, &lab);
    check(lab_process_of(getpid(), &self));
    str path = str_printf(&arena, "%s/lab.json", lab.dir.ptr);
    check_ok(io_read(&arena, path.ptr, 65536, &text, &err), &err);
    /* db1 forgotten; db2's pid belongs to this test now, with another start. */
    str old1 = str_printf(&arena, "\"pid\": %d", (int)lab.nodes[0].server.pid);
    str old2 = str_printf(&arena, "\"pid\": %d", (int)lab.nodes[1].server.pid);
    size_t at1 = str_find(text, old1);
    size_t at2 = str_find(text, old2);
    check(at1 < at2 && at2 < text.len);
    str edited = str_printf(&arena, "%.*s\"pid\": 0%.*s\"pid\": %d%s", (int)at1, text.ptr,
                            (int)(at2 - at1 - old1.len), text.ptr + at1 + old1.len, (int)self.pid,
                            text.ptr + at2 + old2.len);
    struct io_owner owner = { (uid_t)-1, (gid_t)-1, 0644 };
    check_ok(io_replace(path.ptr, edited, owner, &err), &err);
    down(&arena, &lab);
    check(lab_process_alive(&self));
}

TEST(a_folder_too_deep_for_a_socket_gets_one_in_tmp_which_down_takes_away)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    char space[] = "/tmp/labdeepXXXXXX";
    struct lab lab = { 0 };
    str answer;
    if (!lab_postgresql_find(&arena, &(struct lab){ 0 }, &err))
        skip();
    check(mkdtemp(space) != NULL && chmod(space, 0755) == 0);
    str dir = str_printf(&arena, "%s/%0100d", space, 7);
    struct lab_options options = { &lab_postgresql, dir, 2, LAB_EXPIRED, false, "reseal" };
    check_ok(lab_up(&arena, &options, &lab, &err), &err);
    check(str_starts(lab.sockets, S("/tmp/reseal-lab-")));
    check_ok(lab_query(&arena, &lab.user, &lab.nodes[1], "select 7", &answer, &err), &err);
    check_str(answer, S("7"));
    down(&arena, &lab);
    check(access(lab.sockets.ptr, F_OK) != 0);
}

TEST(too_few_nodes_are_wrong_usage_before_anything_is_made)
{
    AUTO(arena) struct arena arena = { 0 };
    AUTO(err) struct err err = { 0 };
    struct lab lab;
    struct lab_options options = {
        &lab_postgresql, S("/tmp/lab-never-made"), 2, LAB_HALF_RENEWED, true, "reseal"
    };
    check(!lab_up(&arena, &options, &lab, &err) && err.kind == ERR_USAGE);
    check(access("/tmp/lab-never-made", F_OK) != 0);
}
