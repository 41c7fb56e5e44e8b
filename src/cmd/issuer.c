/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"

#include "issue/ledger.h"
#include "issue/local.h"
#include "cmd/requests.h"
#include "issue/secret.h"

#include <string.h>

/* `reseal issuer`: make a local CA, look at it and at what it issued. */

enum { ROOT_YEARS = 10 };

struct issuer_options {
    const char *certificate, *key, *name, *organisation, *algorithm;
    const char *passphrase_file, *passphrase_env;
    int64_t passphrase_fd, lifetime;
};

// clang-format off
#define AT(type, member) OPTION_AT(struct issuer_options, type, member)
#define CERTIFICATE_ROW { "certificate", 0, OPTION_FILE, "FILE", "the CA's certificate (default: ca/ca.pem)", NULL, AT(const char *, certificate) }
#define KEY_ROW { "key", 0, OPTION_FILE, "FILE", "the CA's private key (default: ca/ca.key)", NULL, AT(const char *, key) }
static const struct option create_rows[] = {
    CERTIFICATE_ROW,
    KEY_ROW,
    { "name", 'n', OPTION_TEXT, "NAME", "the CA's common name (default: reseal root)", NULL, AT(const char *, name) },
    { "organisation", 0, OPTION_TEXT, "NAME", "the CA's organisation", NULL, AT(const char *, organisation) },
    { "algorithm", 0, OPTION_CHOICE, "NAME", "EC P-256 or RSA 3072 (default: ec)", "ec|rsa", AT(const char *, algorithm) },
    { "lifetime", 0, OPTION_DURATION, "TIME", "how long the CA is valid (default: 10y)", NULL, AT(int64_t, lifetime) },
    { "passphrase-file", 0, OPTION_FILE, "FILE", "the key's passphrase is in this file (default: ask)", NULL, AT(const char *, passphrase_file) },
    { "passphrase-env", 0, OPTION_TEXT, "NAME", "the passphrase is in this environment variable", NULL, AT(const char *, passphrase_env) },
    { "passphrase-fd", 0, OPTION_NUMBER, "N", "the passphrase is read from this descriptor, 1 or more", NULL, AT(int64_t, passphrase_fd) },
    { 0 },
};
static const struct option show_rows[] = { CERTIFICATE_ROW, KEY_ROW, { 0 } };
// clang-format on

static const char *certificate_of(const struct issuer_options *given)
{
    return given->certificate != NULL ? given->certificate : "ca/ca.pem";
}

static const char *key_of(const struct issuer_options *given)
{
    return given->key != NULL ? given->key : "ca/ca.key";
}

/* A passphrase that is typed is asked for twice: a slip would lock the key for good. */
static bool read_passphrase(struct arena *secret, const struct issuer_options *given,
                            str *ret_passphrase, struct err *err)
{
    struct secret_source source = {
        .file = str_c(given->passphrase_file),
        .env = str_c(given->passphrase_env),
        .descriptor = given->passphrase_fd > 0 ? (int)given->passphrase_fd : -1,
    };
    bool typed = source.file.len == 0 && source.env.len == 0 && source.descriptor < 0;
    str again;
    if (!secret_read(secret, &source, "Passphrase for the new CA's key: ", ret_passphrase, err))
        return err_next(err, "reseal issuer create --passphrase-file FILE");
    if (!typed)
        return true;
    if (!secret_read(secret, &source, "The same again: ", &again, err))
        return false;
    return str_eq(*ret_passphrase, again) ||
           err_set(err, ERR_PASSWORD, "the two passphrases differ");
}

static void emit_root(struct emit *emit, const struct cert *cert, const char *path)
{
    emit_object(emit, "issuer");
    emit_text(emit, "certificate", path);
    emit_str(emit, "subject", cert->subject);
    emit_str(emit, "serial", cert->serial);
    emit_moment(emit, "not_before", cert->not_before);
    emit_moment(emit, "not_after", cert->not_after);
    emit_object(emit, "key");
    emit_str(emit, "type", cert->key_type);
    emit_int(emit, "bits", cert->key_bits);
    emit_object_end(emit);
    emit_str(emit, "sha256", cert->sha256);
    emit_object_end(emit);
}

static int run_create(struct cmd *cmd, struct err *err)
{
    AUTO(arena) struct arena secret = { .wipe = true };
    const struct issuer_options *given = cmd->options;
    bool rsa = given->algorithm != NULL && strcmp(given->algorithm, "rsa") == 0;
    struct local_spec spec = {
        .certificate_path = certificate_of(given),
        .key_path = key_of(given),
        .name = str_c(given->name != NULL ? given->name : "reseal root"),
        .organisation = str_c(given->organisation),
        .key = rsa ? LOCAL_KEY_RSA_3072 : LOCAL_KEY_EC_P256,
        .lifetime = given->lifetime > 0 ? given->lifetime : (int64_t)ROOT_YEARS * 365 * 86400,
        .now = clock_now(),
    };
    struct cert cert;
    if (!read_passphrase(&secret, given, &spec.passphrase, err))
        return EXIT_FAILED;
    if (!local_create(&cmd->arena, &spec, &cert, err)) {
        err_next(err, "%s",
                 cmd_line(cmd, "inspect %s %s", spec.certificate_path, spec.key_path).ptr);
        return EXIT_FAILED;
    }
    if (cmd->global.json) {
        struct emit emit = cmd_emit(cmd);
        emit_object(&emit, NULL);
        emit_root(&emit, &cert, spec.certificate_path);
        emit_object_end(&emit);
        emit_end(&emit);
        return EXIT_OK;
    }
    fprintf(cmd->out, "made %s and its encrypted key %s\n", spec.certificate_path, spec.key_path);
    fprintf(cmd->out,
            "in the cluster file:\n  issuer: {kind: local, certificate: %s, key: %s, "
            "passphrase: {file: FILE}}\n",
            spec.certificate_path, spec.key_path);
    return EXIT_OK;
}

static bool read_both(struct cmd *cmd, const struct cluster *cluster, struct local_ca *ret_ca,
                      struct ledger *ret_ledger, struct err *err)
{
    const struct issuer_options *given = cmd->options;
    const char *certificate = certificate_of(given), *key = key_of(given);
    if (cluster != NULL) {
        certificate = str_cstr(&cmd->arena, cluster->issuer.certificate);
        key = str_cstr(&cmd->arena, cluster->issuer.key);
    }
    return local_read(&cmd->arena, certificate, key, ret_ca, err) &&
           ledger_read(&cmd->arena, ret_ca->ledger_path.ptr, ret_ledger, err);
}

static size_t count_valid(const struct ledger *ledger, moment now)
{
    size_t valid = 0;
    for (size_t i = 0; i < ledger->entries.count; i++)
        valid += ledger->entries.items[i].not_after >= now;
    return valid;
}

/* An expired CA, or a line of the ledger that was cut short, is worth a warning's exit code. */
static int show_exit(const struct local_ca *ca, const struct ledger *ledger, moment now)
{
    return ledger->damaged > 0 || ca->chain.items[0].not_after < now ? EXIT_FAILED : EXIT_OK;
}

static void show_json(struct cmd *cmd, const struct local_ca *ca, const struct ledger *ledger,
                      moment now)
{
    struct emit emit = cmd_emit(cmd);
    emit_object(&emit, NULL);
    emit_root(&emit, &ca->chain.items[0], ca->certificate_path.ptr);
    emit_object(&emit, "ledger");
    emit_str(&emit, "path", ca->ledger_path);
    emit_int(&emit, "issued", (int64_t)ledger->entries.count);
    emit_int(&emit, "valid", (int64_t)count_valid(ledger, now));
    emit_int(&emit, "damaged_lines", (int64_t)ledger->damaged);
    emit_object_end(&emit);
    emit_object_end(&emit);
    emit_end(&emit);
}

static void print_damaged(struct cmd *cmd, const struct local_ca *ca, const struct ledger *ledger)
{
    if (ledger->damaged > 0)
        fprintf(cmd->out, "warning: %.*s:%zu: a line was cut short; what it was for never left\n",
                STR_ARG(ca->ledger_path), ledger->damaged_line);
}

static int run_show(struct cmd *cmd, struct err *err)
{
    const struct issuer_options *given = cmd->options;
    struct local_ca ca;
    struct ledger ledger;
    struct cluster cluster;
    bool found;
    moment now = clock_now();
    if (!requests_cluster(cmd, given->certificate, &cluster, &found, err))
        return EXIT_FAILED;
    if (found && awaited_any(&cluster))
        return requests_list(cmd, &cluster, err);
    if (!read_both(cmd, found ? &cluster : NULL, &ca, &ledger, err))
        return EXIT_FAILED;
    const struct cert *cert = &ca.chain.items[0];
    if (cmd->global.json) {
        show_json(cmd, &ca, &ledger, now);
        return show_exit(&ca, &ledger, now);
    }
    struct arena *arena = &cmd->arena;
    fprintf(cmd->out, "subject  %.*s\n", STR_ARG(cert->subject));
    fprintf(cmd->out, "key      %.*s %d\n", STR_ARG(cert->key_type), cert->key_bits);
    fprintf(cmd->out, "valid    %s to %s (%s %s)\n", clock_format(arena, cert->not_before).ptr,
            clock_format(arena, cert->not_after).ptr, cert->not_after < now ? "ended" : "ends",
            clock_relative(arena, cert->not_after, now).ptr);
    fprintf(cmd->out, "sha256   %.*s\n", STR_ARG(cert->sha256));
    fprintf(cmd->out, "issued   %zu, of which %zu are still valid\n", ledger.entries.count,
            count_valid(&ledger, now));
    print_damaged(cmd, &ca, &ledger);
    return show_exit(&ca, &ledger, now);
}

static void list_json(struct cmd *cmd, const struct ledger *ledger)
{
    struct emit emit = cmd_emit(cmd);
    emit_object(&emit, NULL);
    emit_array(&emit, "issued");
    for (size_t i = 0; i < ledger->entries.count; i++) {
        const struct ledger_entry *entry = &ledger->entries.items[i];
        emit_object(&emit, NULL);
        emit_moment(&emit, "time", entry->time);
        emit_str(&emit, "step", entry->step);
        emit_str(&emit, "serial", entry->serial);
        emit_str(&emit, "subject", entry->subject);
        emit_list(&emit, "san", &entry->san);
        emit_moment(&emit, "not_before", entry->not_before);
        emit_moment(&emit, "not_after", entry->not_after);
        emit_str(&emit, "sha256", entry->sha256);
        emit_str(&emit, "spki_sha256", entry->spki_sha256);
        emit_object_end(&emit);
    }
    emit_array_end(&emit);
    emit_int(&emit, "damaged_lines", (int64_t)ledger->damaged);
    emit_object_end(&emit);
    emit_end(&emit);
}

static int run_list(struct cmd *cmd, struct err *err)
{
    const struct issuer_options *given = cmd->options;
    struct local_ca ca;
    struct ledger ledger;
    struct cluster cluster;
    bool found;
    if (!requests_cluster(cmd, given->certificate, &cluster, &found, err))
        return EXIT_FAILED;
    if (found && awaited_any(&cluster))
        return requests_list(cmd, &cluster, err);
    if (!read_both(cmd, found ? &cluster : NULL, &ca, &ledger, err))
        return EXIT_FAILED;
    if (cmd->global.json) {
        list_json(cmd, &ledger);
        return ledger.damaged > 0 ? EXIT_FAILED : EXIT_OK;
    }
    if (ledger.entries.count == 0)
        fprintf(cmd->out, "%.*s has issued nothing yet\n", STR_ARG(ca.certificate_path));
    else
        fprintf(cmd->out, "%-20s  %-20s  %-32s  %s\n", "ISSUED", "UNTIL", "SERIAL", "SUBJECT");
    for (size_t i = 0; i < ledger.entries.count; i++) {
        const struct ledger_entry *entry = &ledger.entries.items[i];
        fprintf(cmd->out, "%s  %s  %-32.*s  %.*s\n", clock_format(&cmd->arena, entry->time).ptr,
                clock_format(&cmd->arena, entry->not_after).ptr, STR_ARG(entry->serial),
                STR_ARG(entry->subject));
    }
    print_damaged(cmd, &ca, &ledger);
    return ledger.damaged > 0 ? EXIT_FAILED : EXIT_OK;
}

static const struct command command_create = {
    .name = "create",
    .arguments = "",
    .summary = "make a root with an encrypted key",
    .description = "Files that are there are never written over.",
    .examples = "reseal issuer create --name 'Orders root' --passphrase-file ca/pass",
    .options = create_rows,
    .options_size = sizeof(struct issuer_options),
    .run = run_create,
};

static const struct command command_show = {
    .name = "show",
    .arguments = "",
    .summary = "the CA's facts, and how much it has issued",
    .description = "Needs neither the key nor its passphrase. The CA is found as `issuer list` "
                   "finds it; of one\n"
                   "that is sent requests these are shown.",
    .options = show_rows,
    .options_size = sizeof(struct issuer_options),
    .run = run_show,
};

static const struct command command_list = {
    .name = "list",
    .arguments = "",
    .summary = "every certificate that the CA has issued, or every request that waits for one",
    .description =
        "Reads the ledger beside the CA's certificate: the one of the cluster file in use, unless\n"
        "--certificate names another. Where the issuer is sent requests, says what is waited for,\n"
        "since when, and what came and why it is not what was asked for.",
    .options = show_rows,
    .options_size = sizeof(struct issuer_options),
    .run = run_list,
};

static const struct command *const subcommands[] = {
    &command_create,  &command_cross_sign, &command_show, &command_list,
    &command_deliver, &command_forget,     NULL
};

const struct command command_issuer = {
    .name = "issuer",
    .arguments = "create|cross-sign|show|list|deliver|forget",
    .summary = "look after a local CA and its ledger, or the requests to a CA elsewhere",
    .description =
        "A CA of your own is a certificate, an encrypted key and a ledger of what it issued. A CA\n"
        "elsewhere is sent requests, and what comes back is delivered.",
    .examples = "reseal issuer create --passphrase-file ca/pass\nreseal issuer list\n"
                "reseal issuer deliver db1.cer",
    .subcommands = subcommands,
};
