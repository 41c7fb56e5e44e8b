/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/commands.h"

#include "base/io.h"
#include "issue/local.h"
#include "issue/secret.h"

/* `reseal issuer cross-sign`: the old CA vouches for the new one's key. */

struct cross_options {
    const char *certificate, *key, *root, *passphrase_file;
};

// clang-format off
#define AT(member) OPTION_AT(struct cross_options, const char *, member)
static const struct option rows[] = {
    { "certificate", 0, OPTION_FILE, "FILE", "the old CA's certificate (default: ca/ca.pem)", NULL, AT(certificate) },
    { "key", 0, OPTION_FILE, "FILE", "the old CA's private key (default: ca/ca.key)", NULL, AT(key) },
    { "for", 0, OPTION_FILE, "NEW.pem", "the new issuer's certificate file, which the cross certificate is added to", NULL, AT(root) },
    { "passphrase-file", 0, OPTION_FILE, "FILE", "the old key's passphrase is in this file (default: ask)", NULL, AT(passphrase_file) },
    { 0 },
};
// clang-format on

static bool open_old(struct cmd *cmd, const struct cross_options *given, struct local_ca *ca,
                     struct err *err)
{
    AUTO(arena) struct arena secret = { .wipe = true };
    struct secret_source source = { .file = str_c(given->passphrase_file), .descriptor = -1 };
    const char *certificate = given->certificate != NULL ? given->certificate : "ca/ca.pem";
    const char *key = given->key != NULL ? given->key : "ca/ca.key";
    const char *prompt = str_printf(&secret, "Passphrase for %s: ", key).ptr;
    str passphrase;
    return secret_read(&secret, &source, prompt, &passphrase, err) &&
           local_open(&cmd->arena, certificate, key, passphrase, clock_now(), ca, err);
}

static int run(struct cmd *cmd, struct err *err)
{
    const struct cross_options *given = cmd->options;
    AUTO(local_ca) struct local_ca ca = { 0 };
    struct local_ca next;
    struct cert cross;
    str text;
    if (given->root == NULL) {
        (void)err_set(err, ERR_USAGE, "which root is to be vouched for?");
        (void)err_next(err, "%s", cmd_line(cmd, "issuer cross-sign --for ca/new.pem").ptr);
        return EXIT_WRONG_USAGE;
    }
    if (!local_read(&cmd->arena, given->root, "", &next, err) || !open_old(cmd, given, &ca, err) ||
        !io_read(&cmd->arena, given->root, IO_FILE_MAX, &text, err) ||
        !local_cross_sign(&cmd->arena, &ca, &next.chain.items[0], clock_now(), &cross, err))
        return EXIT_FAILED;
    text =
        str_printf(&cmd->arena, "%.*s%.*s", STR_ARG(text), STR_ARG(cert_pem(&cmd->arena, &cross)));
    struct io_owner open_to_all = { (uid_t)-1, (gid_t)-1, 0644 };
    if (!io_replace(given->root, text, open_to_all, err))
        return EXIT_FAILED;
    if (cmd->global.json) {
        struct emit emit = cmd_emit(cmd);
        emit_object(&emit, NULL);
        emit_text(&emit, "file", given->root);
        emit_str(&emit, "subject", cross.subject);
        emit_str(&emit, "issuer", cross.issuer);
        emit_moment(&emit, "not_after", cross.not_after);
        emit_str(&emit, "sha256", cross.sha256);
        emit_object_end(&emit);
        emit_end(&emit);
        return EXIT_OK;
    }
    fprintf(cmd->out, "%.*s vouches for %.*s until %s: added to %s, and sent along from now on\n",
            STR_ARG(cross.issuer), STR_ARG(cross.subject),
            clock_format(&cmd->arena, cross.not_after).ptr, given->root);
    return EXIT_OK;
}

const struct command command_cross_sign = {
    .name = "cross-sign",
    .arguments = "",
    .summary = "the old CA vouches for a new root, for those who trust only the old one",
    .description =
        "The cross certificate is added to the new issuer's certificate file and sent along with\n"
        "each new certificate, so that verifiers accept it before they have the new root.",
    .examples = "reseal issuer cross-sign --certificate ca/ca.pem --key ca/ca.key --for ca/new.pem",
    .options = rows,
    .options_size = sizeof(struct cross_options),
    .run = run,
};
