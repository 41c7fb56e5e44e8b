/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"

#include "base/io.h"
#include "tls/endpoint.h"
#include "issue/secret.h"
#include "store/store.h"
#include "tls/probe.h"
#include "x509/auto.h"
#include "x509/name.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* `reseal inspect WHAT...`: what is in files, folders, standard input and endpoints. */

enum { FOLDER_DEPTH_MAX = 32, WARN_DAYS = 30 };

struct inspect_options {
    const char *password_file, *protocol;
    int64_t warn;
    bool pem, match;
};

// clang-format off
#define AT(type, member) OPTION_AT(struct inspect_options, type, member)
static const struct option options[] = {
    { "pem", 0, OPTION_FLAG, NULL, "print the certificates as PEM", NULL, AT(bool, pem) },
    { "match", 0, OPTION_FLAG, NULL, "succeed only if every key has its certificate among them", NULL, AT(bool, match) },
    { "password-file", 0, OPTION_FILE, "FILE", "the password of encrypted keys", NULL, AT(const char *, password_file) },
    { "protocol", 'p', OPTION_TEXT, "NAME", "how to begin TLS at HOST:PORT (default: by the port)", NULL, AT(const char *, protocol) },
    { "warn", 0, OPTION_DURATION, "TIME", "warn of certificates that end within this (default: 30d)", NULL, AT(int64_t, warn) },
    { 0 },
};
// clang-format on

/* One line of the table. Without a certificate, `facts` holds what a request or a key has. */
struct row {
    str source, alias;
    const char *kind;
    struct cert facts;
    bool has_cert;
    struct pin pin; /* of kind "pin" */
};

struct inspect {
    struct cmd *cmd;
    struct arena *arena;
    const struct inspect_options *given;
    struct store_options store_options;
    LIST(struct row) rows;
    finding_list findings;
    size_t read; /* how many things could be read */
};

static void request_facts(struct arena *arena, str der, struct cert *facts)
{
    const unsigned char *at = (const unsigned char *)der.ptr;
    AUTO(X509_REQ) X509_REQ *request = d2i_X509_REQ(NULL, &at, (long)der.len);
    EVP_PKEY *key = request == NULL ? NULL : X509_REQ_get0_pubkey(request);
    AUTO(err) struct err err = { 0 };
    if (key == NULL || !key_spki_sha256(arena, key, &facts->spki_sha256, &err))
        return;
    facts->subject = name_of_x500(arena, X509_REQ_get_subject_name(request));
    facts->key_type = str_copy(arena, str_c(EVP_PKEY_get0_type_name(key)));
    facts->key_bits = EVP_PKEY_get_bits(key);
    facts->signature_algorithm = str_c(OBJ_nid2ln(X509_REQ_get_signature_nid(request)));
    STACK_OF(X509_EXTENSION) *extensions = X509_REQ_get_extensions(request);
    GENERAL_NAMES *names = X509V3_get_d2i(extensions, NID_subject_alt_name, NULL, NULL);
    for (int i = 0; names != NULL && i < sk_GENERAL_NAME_num(names); i++)
        list_push(arena, &facts->san) = name_of_general(arena, sk_GENERAL_NAME_value(names, i));
    GENERAL_NAMES_free(names);
    sk_X509_EXTENSION_pop_free(extensions, X509_EXTENSION_free);
    ERR_clear_error();
}

/* A certificate whose key is in the same store is a key entry, and its key has no row of its own:
   as the formats that keep both in one entry have it. */
static bool has_key_here(const struct store *store, const struct cert *cert)
{
    for (size_t i = 0; i < store->entries.count; i++)
        if (store->entries.items[i].kind == ENTRY_KEY &&
            str_eq(store->entries.items[i].key_spki_sha256, cert->spki_sha256))
            return true;
    return false;
}

static void add_entry(struct inspect *inspect, const struct store *store, const struct entry *entry,
                      const char *kind)
{
    struct row row = { .source = store->path, .alias = entry->alias, .kind = kind };
    switch (entry->kind) {
    case ENTRY_CRL:
        return;
    case ENTRY_TRUSTED:
        row.has_cert = true;
        row.facts = *entry->cert;
        if (kind == NULL)
            row.kind = has_key_here(store, entry->cert) ? "key" : "trusted";
        break;
    case ENTRY_KEY:
        if (entry->cert != NULL)
            return;
        row.kind = "key";
        row.facts.spki_sha256 = entry->key_spki_sha256;
        row.facts.key_type =
            entry->encrypted && entry->key_type.len == 0 ? S("encrypted") : entry->key_type;
        break;
    case ENTRY_REQUEST:
        row.kind = "request";
        request_facts(inspect->arena, entry->der, &row.facts);
        break;
    case ENTRY_PIN:
        row.kind = "pin";
        row.pin = entry->pin;
        row.facts.subject = pin_text(inspect->arena, entry->pin);
        if (entry->pin.kind == PIN_SPKI)
            row.facts.spki_sha256 = entry->pin.digest;
        break;
    }
    list_push(inspect->arena, &inspect->rows) = row;
}

static void add_store(struct inspect *inspect, const struct store *store, const char *kind)
{
    inspect->read++;
    for (size_t i = 0; i < store->entries.count; i++)
        add_entry(inspect, store, &store->entries.items[i], kind);
    for (size_t i = 0; i < store->findings.count; i++)
        list_push(inspect->arena, &inspect->findings) = store->findings.items[i];
}

/* The reason often begins with what the finding says anyway. */
static void not_read(struct inspect *inspect, enum finding_code code, str what, str why)
{
    str prefix = str_printf(inspect->arena, "%.*s: ", STR_ARG(what));
    if (str_starts(why, prefix))
        why = (str){ why.ptr + prefix.len, why.len - prefix.len };
    finding_add(inspect->arena, &inspect->findings, code, what, why);
}

/* `named`: by the user, so that a file which is no store is worth a finding. */
static void read_one_file(struct inspect *inspect, const char *path, bool named)
{
    AUTO(err) struct err err = { 0 };
    struct store store;
    if (!store_read(inspect->arena, path, &inspect->store_options, &store, &err)) {
        not_read(inspect, FINDING_keystore_unreadable, str_c(path),
                 str_copy(inspect->arena, str_c(err.msg)));
        return;
    }
    if (named || strcmp(store.format, "unknown") != 0)
        add_store(inspect, &store, NULL);
}

static void read_stdin(struct inspect *inspect)
{
    AUTO(arena) struct arena secret = { .wipe = true };
    AUTO(err) struct err err = { 0 };
    struct store store;
    str bytes;
    if (!io_read_fd(&secret, STDIN_FILENO, IO_FILE_MAX, &bytes, &err)) {
        not_read(inspect, FINDING_keystore_unreadable, S("-"),
                 str_copy(inspect->arena, str_c(err.msg)));
        return;
    }
    store_parse(inspect->arena, S("-"), bytes, &inspect->store_options, &store);
    add_store(inspect, &store, NULL);
}

static int by_name(const void *a, const void *b)
{
    return str_cmp(*(const str *)a, *(const str *)b);
}

static void read_path(struct inspect *inspect, const char *path, int depth);

static void read_folder(struct inspect *inspect, const char *path, int depth)
{
    AUTO(dir) DIR *dir = opendir(path);
    str_list names = { 0 };
    if (dir == NULL || depth > FOLDER_DEPTH_MAX) {
        not_read(inspect, FINDING_keystore_unreadable, str_c(path), S("the folder cannot be read"));
        return;
    }
    for (struct dirent *entry; (entry = readdir(dir)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            list_push(inspect->arena, &names) = str_copy(inspect->arena, str_c(entry->d_name));
    if (names.count > 0)
        qsort(names.items, names.count, sizeof(*names.items), by_name);
    for (size_t i = 0; i < names.count; i++)
        read_path(inspect, io_join(inspect->arena, str_c(path), names.items[i]).ptr, depth + 1);
    inspect->read++;
}

/* Below a folder that was named, links to folders are left alone: they may lead round. */
static void read_path(struct inspect *inspect, const char *path, int depth)
{
    struct stat st;
    bool there = (depth == 0 ? stat(path, &st) : lstat(path, &st)) == 0;
    if (there && S_ISDIR(st.st_mode))
        read_folder(inspect, path, depth);
    else if (there && S_ISLNK(st.st_mode) && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return;
    else if (depth == 0 || (there && S_ISREG(st.st_mode)))
        read_one_file(inspect, path, depth == 0);
}

static bool read_endpoint(struct inspect *inspect, const char *what, struct endpoint endpoint,
                          struct err *err)
{
    const char *protocol = inspect->given->protocol;
    struct probe_request request = {
        .host = endpoint.host,
        .port = endpoint.port,
        .protocol = str_c(protocol != NULL ? protocol : endpoint_protocol(endpoint.port)),
        .verify = PROBE_VERIFY_NONE,
    };
    struct probe_result result;
    struct buf pem = { 0 };
    struct store store;
    if (!probe_run(inspect->arena, &request, &result, err))
        return false;
    if (result.chain.count == 0) {
        not_read(inspect, FINDING_service_down, str_c(what), result.text);
        return true;
    }
    for (size_t i = 0; i < result.chain.count; i++)
        buf_add(inspect->arena, &pem, cert_pem(inspect->arena, &result.chain.items[i]));
    store_parse(inspect->arena, str_c(what), buf_str(&pem), &inspect->store_options, &store);
    add_store(inspect, &store, "endpoint");
    return true;
}

static bool read_what(struct inspect *inspect, const char *what, struct err *err)
{
    struct endpoint endpoint;
    if (strcmp(what, "-") == 0)
        read_stdin(inspect);
    else if (access(what, F_OK) < 0 && endpoint_parse(str_c(what), &endpoint))
        return read_endpoint(inspect, what, endpoint, err);
    else
        read_path(inspect, what, 0);
    return true;
}

static const struct row *certificate_of(const struct inspect *inspect, str spki)
{
    for (size_t i = 0; spki.len > 0 && i < inspect->rows.count; i++)
        if (inspect->rows.items[i].has_cert &&
            str_eq(inspect->rows.items[i].facts.spki_sha256, spki))
            return &inspect->rows.items[i];
    return NULL;
}

static bool is_key(const struct row *row)
{
    return strcmp(row->kind, "key") == 0;
}

static void emit_facts(struct emit *emit, const struct row *row)
{
    const struct cert *cert = &row->facts;
    bool named = row->has_cert || strcmp(row->kind, "request") == 0;
    emit_text(emit, "subject", named ? cert->subject.ptr : NULL);
    emit_text(emit, "issuer", row->has_cert ? cert->issuer.ptr : NULL);
    emit_text(emit, "serial", row->has_cert ? cert->serial.ptr : NULL);
    if (row->has_cert) {
        emit_moment(emit, "not_before", cert->not_before);
        emit_moment(emit, "not_after", cert->not_after);
    } else {
        emit_null(emit, "not_before");
        emit_null(emit, "not_after");
    }
    emit_object(emit, "key");
    emit_text(emit, "type", cert->key_type.len > 0 ? cert->key_type.ptr : NULL);
    if (cert->key_bits > 0)
        emit_int(emit, "bits", cert->key_bits);
    else
        emit_null(emit, "bits");
    emit_object_end(emit);
    emit_text(emit, "signature_algorithm", named ? cert->signature_algorithm.ptr : NULL);
    emit_list(emit, "san", &cert->san);
    emit_list(emit, "key_usage", &cert->key_usages);
    emit_list(emit, "extended_key_usage", &cert->extended_key_usage);
    emit_bool(emit, "ca", cert->ca);
    bool pinned = strcmp(row->kind, "pin") == 0 && row->pin.kind == PIN_CERT;
    emit_text(emit, "sha256",
              row->has_cert ? cert->sha256.ptr
              : pinned      ? row->pin.digest.ptr
                            : NULL);
    emit_text(emit, "spki_sha256", cert->spki_sha256.len > 0 ? cert->spki_sha256.ptr : NULL);
}

/* Whether there is a key, and each has its certificate. */
static bool all_match(const struct inspect *inspect)
{
    size_t keys = 0;
    for (size_t i = 0; i < inspect->rows.count; i++) {
        const struct row *row = &inspect->rows.items[i];
        keys += is_key(row);
        if (is_key(row) && certificate_of(inspect, row->facts.spki_sha256) == NULL)
            return false;
    }
    return keys > 0;
}

static void print_json(const struct inspect *inspect)
{
    struct emit emit = cmd_emit(inspect->cmd);
    emit_object(&emit, NULL);
    emit_array(&emit, "certificates");
    for (size_t i = 0; i < inspect->rows.count; i++) {
        const struct row *row = &inspect->rows.items[i];
        emit_object(&emit, NULL);
        emit_str(&emit, "source", row->source);
        emit_str(&emit, "alias", row->alias);
        emit_text(&emit, "kind", row->kind);
        emit_facts(&emit, row);
        emit_object_end(&emit);
    }
    emit_array_end(&emit);
    findings_emit(&emit, "findings", &inspect->findings);
    if (inspect->given->match)
        emit_bool(&emit, "match", all_match(inspect));
    emit_object_end(&emit);
    emit_end(&emit);
}

static void print_pem(const struct inspect *inspect)
{
    for (size_t i = 0; i < inspect->rows.count; i++) {
        const struct row *row = &inspect->rows.items[i];
        if (row->has_cert)
            fprintf(inspect->cmd->out, "%.*s", STR_ARG(cert_pem(inspect->arena, &row->facts)));
    }
}

static void print_match(const struct inspect *inspect)
{
    for (size_t i = 0; i < inspect->rows.count; i++) {
        const struct row *row = &inspect->rows.items[i];
        if (!is_key(row))
            continue;
        const struct row *found = certificate_of(inspect, row->facts.spki_sha256);
        if (found != NULL)
            fprintf(inspect->cmd->out, "%.*s: the key is that of %.*s in %.*s\n",
                    STR_ARG(row->source), STR_ARG(found->facts.subject), STR_ARG(found->source));
        else
            fprintf(inspect->cmd->out, "%.*s: %s\n", STR_ARG(row->source),
                    row->facts.spki_sha256.len == 0 ? "the key is locked, its password is needed"
                                                    : "no certificate given is for this key");
    }
}

enum { COLUMNS = 6 };

/* The cells of a row; bytes that would move a terminal's cursor are shown as '?'. */
static void cells_of(struct arena *arena, const struct row *row, str cells[COLUMNS])
{
    const struct cert *cert = &row->facts;
    struct buf names = { 0 };
    for (size_t i = 0; i < cert->san.count; i++)
        buf_printf(arena, &names, "%s%.*s", i == 0 ? "" : ",", STR_ARG(cert->san.items[i]));
    cells[0] = str_printf(arena, "%.*s:%.*s", STR_ARG(row->source), STR_ARG(row->alias));
    cells[1] = str_c(row->kind);
    cells[2] = cert->key_bits > 0
                   ? str_printf(arena, "%.*s %d", STR_ARG(cert->key_type), cert->key_bits)
                   : cert->key_type;
    cells[3] = row->has_cert ? str_printf(arena, "%.10s", clock_format(arena, cert->not_after).ptr)
                             : S("-");
    cells[4] = cert->subject.len > 0 ? cert->subject : S("-");
    cells[5] = cert->san.count > 0 ? buf_str(&names) : S("-");
    for (int i = 0; i < COLUMNS; i++) {
        cells[i] = str_copy(arena, cells[i]);
        for (size_t k = 0; k < cells[i].len; k++)
            if ((unsigned char)cells[i].ptr[k] < 0x20 || cells[i].ptr[k] == 0x7f)
                ((char *)(uintptr_t)cells[i].ptr)[k] = '?';
    }
}

static void print_row(FILE *out, const str cells[COLUMNS], const size_t widths[COLUMNS])
{
    for (int i = 0; i < COLUMNS - 1; i++)
        fprintf(out, "%-*.*s  ", (int)widths[i], STR_ARG(cells[i]));
    fprintf(out, "%.*s\n", STR_ARG(cells[COLUMNS - 1]));
}

static void print_table(const struct inspect *inspect)
{
    static const str head[COLUMNS] = {
        {"WHERE",    5},
        { "KIND",    4},
        { "KEY",     3},
        { "UNTIL",   5},
        { "SUBJECT", 7},
        { "NAMES",   5}
    };
    struct arena *arena = inspect->arena;
    size_t widths[COLUMNS];
    str(*table)[COLUMNS] = arena_alloc(arena, inspect->rows.count + 1, sizeof(*table));
    for (int k = 0; k < COLUMNS; k++)
        widths[k] = head[k].len;
    for (size_t i = 0; i < inspect->rows.count; i++) {
        cells_of(arena, &inspect->rows.items[i], table[i]);
        for (int k = 0; k < COLUMNS; k++)
            widths[k] = table[i][k].len > widths[k] ? table[i][k].len : widths[k];
    }
    if (inspect->rows.count > 0)
        print_row(inspect->cmd->out, head, widths);
    for (size_t i = 0; i < inspect->rows.count; i++)
        print_row(inspect->cmd->out, (const str *)table[i], widths);
}

static void print_findings(const struct inspect *inspect)
{
    FILE *out = inspect->cmd->out;
    for (size_t i = 0; i < inspect->findings.count; i++) {
        const struct finding *finding = &inspect->findings.items[i];
        fprintf(out, "%s%s %s %.*s: %.*s\n", i == 0 && inspect->rows.count > 0 ? "\n" : "",
                severity_name(finding->severity), finding_row(finding->code)->code,
                STR_ARG(finding->where), STR_ARG(finding->text));
        if (finding->next.len > 0)
            fprintf(out, "  next: %.*s\n", STR_ARG(finding->next));
    }
}

static void print(const struct inspect *inspect)
{
    if (inspect->cmd->global.json) {
        print_json(inspect);
    } else if (inspect->given->match) {
        print_match(inspect);
    } else if (inspect->given->pem) {
        print_pem(inspect);
    } else {
        print_table(inspect);
        print_findings(inspect);
    }
}

static int exit_of(const struct inspect *inspect)
{
    if (inspect->read == 0)
        return EXIT_UNKNOWN;
    if (inspect->given->match)
        return all_match(inspect) ? EXIT_OK : EXIT_FAILED;
    for (size_t i = 0; i < inspect->findings.count; i++)
        if (inspect->findings.items[i].severity != SEVERITY_INFO)
            return EXIT_FAILED;
    return EXIT_OK;
}

static int run(struct cmd *cmd, struct err *err)
{
    AUTO(arena) struct arena secret = { .wipe = true };
    const struct inspect_options *given = cmd->options;
    struct inspect inspect = { .cmd = cmd, .arena = &cmd->arena, .given = given };
    struct secret_source source = { .file = str_c(given->password_file), .descriptor = -1 };
    inspect.store_options.now = clock_now();
    inspect.store_options.renew_before = given->warn > 0 ? given->warn : WARN_DAYS * 86400;
    if (given->password_file != NULL &&
        !secret_read(&secret, &source, NULL, &inspect.store_options.password, err))
        return EXIT_UNKNOWN;
    for (size_t i = 0; i < cmd->words.count; i++)
        if (!read_what(&inspect, cmd->words.items[i], err))
            return EXIT_UNKNOWN;
    print(&inspect);
    if (inspect.read == 0 && (given->match || given->pem)) {
        err_set(err, ERR_SYSTEM, "nothing could be read");
        err_next(err, "%s", cmd_line(cmd, "inspect %s", cmd->words.items[0]).ptr);
    }
    return exit_of(&inspect);
}

const struct command command_inspect = {
    .name = "inspect",
    .arguments = "WHAT...",
    .summary = "facts of every certificate and key in files, folders or endpoints",
    .description =
        "WHAT is a file, a folder (with all below it), - for standard input, or HOST:PORT. The "
        "format is found by content.",
    .examples = "reseal inspect /etc/ssl/certs\nreseal inspect db1.example:5432\n"
                "reseal inspect --match server.crt server.key",
    .options = options,
    .options_size = sizeof(struct inspect_options),
    .words_min = 1,
    .words_max = ANY_WORDS,
    .run = run,
};
