/* SPDX-License-Identifier: Apache-2.0 */
#include "tls/probe.h"

#include "tls/context.h"
#include "tls/dialogue.h"
#include "tls/verdict.h"
#include "x509/auto.h"

#include <openssl/err.h>

enum { TIMEOUT_MS = 5000 };

/* What OpenSSL's callbacks see of one connection. */
struct attempt {
    struct arena *arena;
    const struct probe_request *request;
    struct probe_result *result;
    struct handshake seen;
    context_anchors anchors;
    struct verify_failure failure; /* error X509_V_OK while there was none */
    bool refused;                  /* we broke the handshake off */
    bool heard;                    /* at least one TLS message came */
    bool shaken;                   /* the handshake completed on our side */
};

static void see_alert(const unsigned char *alert, int *number)
{
    enum { CLOSE_NOTIFY = 0, USER_CANCELED = 90 };
    if (*number == -1 && alert[1] != CLOSE_NOTIFY && alert[1] != USER_CANCELED)
        *number = alert[1];
}

static void see_message(int sent, int version, int type, const void *bytes, size_t len, SSL *ssl,
                        void *data)
{
    (void)ssl;
    struct attempt *attempt = data;
    if (type == SSL3_RT_ALERT && len == 2)
        see_alert(bytes, sent ? &attempt->result->alert_sent : &attempt->result->alert_received);
    if (sent || (type != SSL3_RT_ALERT && type != SSL3_RT_HANDSHAKE))
        return;
    attempt->heard = true;
    if (type == SSL3_RT_HANDSHAKE)
        handshake_read(attempt->arena, version, (str){ bytes, len }, &attempt->seen);
}

static void note_failure(struct attempt *attempt, X509_STORE_CTX *context)
{
    AUTO(err) struct err err = { 0 };
    struct verify_failure *failure = &attempt->failure;
    X509 *x509 = X509_STORE_CTX_get_current_cert(context);
    failure->error = X509_STORE_CTX_get_error(context);
    failure->depth = X509_STORE_CTX_get_error_depth(context);
    failure->anchor = failure->depth >= X509_STORE_CTX_get_num_untrusted(context);
    /* A certificate whose facts cannot be read keeps none: the error number still speaks. */
    if (x509 != NULL && !cert_of_x509(attempt->arena, x509, &failure->cert, &err))
        failure->cert = (struct cert){ 0 };
}

static int see_verify(int ok, X509_STORE_CTX *context)
{
    SSL *ssl = X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx());
    struct attempt *attempt = SSL_get_app_data(ssl);
    if (ok)
        return 1;
    if (attempt->failure.error == X509_V_OK)
        note_failure(attempt, context);
    if (attempt->request->verify == PROBE_VERIFY_NONE)
        return 1;
    attempt->refused = true;
    return 0;
}

static void conclude(struct probe_result *result, enum probe_outcome outcome, enum cause cause,
                     str text)
{
    result->outcome = outcome;
    result->cause = cause;
    result->text = text;
}

static void conclude_refused(struct attempt *attempt)
{
    const struct verify_failure *failure = &attempt->failure;
    enum cause cause = verdict_of_verify(failure, attempt->seen.chain.count, attempt->anchors.items,
                                         attempt->anchors.count);
    str label = failure->cert.der.len > 0 ? cert_label(attempt->arena, &failure->cert)
                                          : S("the server's certificate");
    conclude(attempt->result, PROBE_REFUSED_BY_US, cause,
             str_printf(attempt->arena, "%.*s: %s (at depth %d)", STR_ARG(label),
                        X509_verify_cert_error_string(failure->error), failure->depth));
}

static void conclude_alert(struct attempt *attempt)
{
    struct probe_result *result = attempt->result;
    bool identity = attempt->request->certificate_pem.len > 0;
    conclude(result, PROBE_REFUSED_BY_PEER,
             verdict_of_alert(result->alert_received, attempt->seen.client_certificate_requested,
                              identity),
             str_printf(attempt->arena, "the server sent the alert %s (%d)%s",
                        alert_name(result->alert_received), result->alert_received,
                        attempt->shaken ? " after the handshake" : ""));
    result->late = attempt->shaken;
}

/* Some servers, GnuTLS's among them, cut the connection without an alert when they do not like what
   they got for a certificate: whether they asked for one is all that tells. */
static const char *asked_for(const struct attempt *attempt)
{
    if (!attempt->seen.client_certificate_requested)
        return "";
    return attempt->request->certificate_pem.len > 0
               ? "; the server had asked for a client certificate and got ours"
               : "; the server had asked for a client certificate and got none";
}

/* The connection ended without an alert; OpenSSL's queue may say why. */
static void conclude_broken(struct attempt *attempt, bool secured)
{
    unsigned long code = ERR_peek_error();
    int reason = ERR_GET_LIB(code) == ERR_LIB_SSL ? ERR_GET_REASON(code) : 0;
    const char *words = code == 0 ? NULL : ERR_reason_error_string(code);
    if (words == NULL)
        words = "the server closed the connection";
    str text = str_c(words);
    if (attempt->shaken)
        conclude(attempt->result, PROBE_FAILED, CAUSE_none,
                 str_printf(attempt->arena, "%s after the handshake, without an answer%s", words,
                            asked_for(attempt)));
    else if (reason == SSL_R_UNSUPPORTED_PROTOCOL)
        conclude(attempt->result, PROBE_FAILED, CAUSE_protocol_version_mismatch, text);
    else if (secured && !attempt->heard)
        conclude(attempt->result, PROBE_NOT_TLS, CAUSE_tls_on_plaintext_port,
                 str_printf(attempt->arena, "the answer to our ClientHello is not TLS: %s", words));
    else if (!secured)
        conclude(attempt->result, PROBE_NOT_TLS, CAUSE_not_tls,
                 S("the server closed the connection before TLS began"));
    else
        conclude(attempt->result, PROBE_FAILED,
                 attempt->seen.malformed ? CAUSE_cert_malformed : CAUSE_none,
                 str_printf(attempt->arena, "%s%s", words, asked_for(attempt)));
}

/* `secured`: TLS had begun when the connection ended like this. */
static void conclude_end(struct attempt *attempt, enum wire_end end, bool secured)
{
    if (attempt->refused)
        conclude_refused(attempt);
    else if (attempt->result->alert_received >= 0)
        conclude_alert(attempt);
    else if (end == WIRE_TIMEOUT)
        conclude(attempt->result, PROBE_TIMEOUT, CAUSE_none,
                 !secured          ? S("the server said nothing before TLS began")
                 : attempt->shaken ? S("the handshake completed, but no answer came")
                                   : S("the handshake did not complete in time"));
    else
        conclude_broken(attempt, secured);
    ERR_clear_error();
}

static void confirm(struct attempt *attempt, struct talk *talk)
{
    struct probe_result *result = attempt->result;
    attempt->shaken = true;
    result->version = str_copy(attempt->arena, str_c(SSL_get_version(talk->wire->ssl)));
    result->cipher = str_copy(attempt->arena, str_c(SSL_get_cipher_name(talk->wire->ssl)));
    enum wire_end end = talk->row->confirm(talk);
    if (end != WIRE_OK)
        conclude_end(attempt, end, true);
    else if (!talk->decided)
        conclude(result, PROBE_ACCEPTED, CAUSE_none,
                 result->text.len > 0 ? result->text : S("the server accepts the connection"));
    if (end == WIRE_OK)
        (void)SSL_shutdown(talk->wire->ssl);
    ERR_clear_error();
}

static void converse(struct attempt *attempt, struct talk *talk, SSL *ssl)
{
    if (!wire_dial(attempt->arena, attempt->request->host, attempt->request->port, talk->wire,
                   &attempt->result->text)) {
        conclude(attempt->result, PROBE_UNREACHABLE, CAUSE_none, attempt->result->text);
        return;
    }
    enum wire_end end = talk->row->prelude == NULL ? WIRE_OK : talk->row->prelude(talk);
    if (end != WIRE_OK)
        conclude_end(attempt, end, false);
    if (end != WIRE_OK || talk->decided)
        return;
    if (SSL_set_fd(ssl, talk->wire->fd) != 1) {
        conclude(attempt->result, PROBE_FAILED, CAUSE_none, S("no memory for the connection"));
        return;
    }
    talk->wire->ssl = ssl;
    end = wire_handshake(talk->wire);
    if (end == WIRE_OK)
        confirm(attempt, talk);
    else
        conclude_end(attempt, end, true);
}

static void keep_facts(const struct attempt *attempt)
{
    struct probe_result *result = attempt->result;
    result->chain.items = attempt->seen.chain.items;
    result->chain.count = attempt->seen.chain.count;
    result->chain.cap = attempt->seen.chain.cap;
    result->client_certificate_requested = attempt->seen.client_certificate_requested;
    result->acceptable_cas = attempt->seen.acceptable_cas;
    result->verify_error = attempt->failure.error;
}

static bool observe(SSL *ssl, struct attempt *attempt, struct err *err)
{
    if (ssl == NULL || SSL_set_app_data(ssl, attempt) != 1)
        return err_set(err, ERR_CRYPTO, "no memory for the connection");
    SSL_set_msg_callback(ssl, see_message);
    SSL_set_msg_callback_arg(ssl, attempt);
    SSL_set_verify(ssl, SSL_VERIFY_PEER, see_verify);
    return context_set_name(attempt->arena, attempt->request, ssl, err);
}

bool probe_run(struct arena *arena, const struct probe_request *request,
               struct probe_result *ret_result, struct err *err)
{
    *ret_result = (struct probe_result){ .alert_received = -1, .alert_sent = -1 };
    struct attempt attempt = { .arena = arena, .request = request, .result = ret_result };
    const struct dialogue_row *row = dialogue_find(request->protocol);
    if (row == NULL)
        return err_set(err, ERR_USAGE, "unknown protocol \"%.*s\"", STR_ARG(request->protocol));
    int timeout = request->timeout_ms > 0 ? request->timeout_ms : TIMEOUT_MS;
    AUTO(SSL_CTX) SSL_CTX *context = NULL;
    if (!context_make(arena, request, &context, &attempt.anchors, err))
        return false;
    AUTO(wire) struct wire wire = { .fd = -1, .deadline = clock_monotonic_ms() + timeout };
    AUTO(SSL) SSL *ssl = SSL_new(context);
    if (!observe(ssl, &attempt, err))
        return false;
    struct talk talk = { arena, request, row, &attempt.seen, &wire, ret_result, false };
    converse(&attempt, &talk, ssl);
    keep_facts(&attempt);
    return true;
}

const char *probe_outcome_name(enum probe_outcome outcome)
{
    static const char *const names[] = { "accepted", "refused_by_us", "refused_by_peer",
                                         "not_tls",  "unreachable",   "timeout",
                                         "failed" };
    return names[outcome];
}

static void emit_alert(struct emit *emit, const char *name, int alert)
{
    if (alert < 0)
        emit_null(emit, name);
    else
        emit_int(emit, name, alert);
}

static void emit_cert(struct emit *emit, const struct cert *cert)
{
    emit_object(emit, NULL);
    emit_str(emit, "subject", cert->subject);
    emit_str(emit, "issuer", cert->issuer);
    emit_str(emit, "serial", cert->serial);
    emit_str(emit, "sha256", cert->sha256);
    emit_moment(emit, "not_before", cert->not_before);
    emit_moment(emit, "not_after", cert->not_after);
    emit_list(emit, "san", &cert->san);
    emit_object_end(emit);
}

void probe_emit(struct emit *emit, const char *name, const struct probe_result *result)
{
    emit_object(emit, name);
    emit_text(emit, "outcome", probe_outcome_name(result->outcome));
    emit_text(emit, "cause", cause_code(result->cause));
    emit_str(emit, "text", result->text);
    emit_bool(emit, "late", result->late);
    emit_str(emit, "version", result->version);
    emit_str(emit, "cipher", result->cipher);
    emit_array(emit, "chain");
    for (size_t i = 0; i < result->chain.count; i++)
        emit_cert(emit, &result->chain.items[i]);
    emit_array_end(emit);
    emit_bool(emit, "client_certificate_requested", result->client_certificate_requested);
    emit_list(emit, "acceptable_cas", &result->acceptable_cas);
    emit_alert(emit, "alert_received", result->alert_received);
    emit_alert(emit, "alert_sent", result->alert_sent);
    emit_int(emit, "verify_error", result->verify_error);
    emit_object_end(emit);
}
