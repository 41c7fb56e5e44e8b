/* SPDX-License-Identifier: Apache-2.0 */
/*
 * catalogue.h - the causes of broken trust and the findings that someone must act on.
 *
 * A *cause* is why a handshake fails; a *finding* is something to act on, with the cause that it
 * leads to if there is one. Each is one row; documentation, help and code come from the rows, and
 * `tools/lint` holds docs/causes.md and docs/findings.md to them.
 */
#ifndef CAUSE_CATALOGUE_H
#define CAUSE_CATALOGUE_H

#include "base/emit.h"
#include "base/str.h"

/* id, title, meaning, how to confirm, remedy */
// clang-format off
#define CAUSES(X)                                                                                \
    X(leaf_expired, "certificate expired",                                                       \
      "the certificate that an end presents is past its notAfter",                               \
      "compare the certificate's notAfter with the clock of the end that refuses it",            \
      "renew the certificate, then reload the service that presents it")                         \
    X(not_yet_valid, "certificate not yet valid",                                                \
      "a certificate's notBefore lies in the future of the end that judges it",                  \
      "compare notBefore with both clocks; a skewed clock is the usual reason",                  \
      "correct the clock, or wait until notBefore")                                              \
    X(intermediate_expired, "intermediate expired",                                              \
      "a certificate between the leaf and the anchor is past its notAfter",                      \
      "inspect every certificate of the presented chain",                                        \
      "present a chain with a valid intermediate")                                               \
    X(root_expired, "root expired",                                                              \
      "the trust anchor that the chain ends in is past its notAfter",                            \
      "inspect the trust store of the end that refuses",                                         \
      "add the new root to every trust store, then move identities to it")                       \
    X(issuer_unknown, "issuer not trusted",                                                      \
      "no anchor in the trust store vouches for the presented chain",                            \
      "compare the chain's last issuer with the subjects in the trust store",                    \
      "add the issuer's root to the trust store of the end that refuses")                        \
    X(chain_incomplete, "intermediate missing",                                                  \
      "the leaf was presented without an intermediate that is needed to reach the anchor",       \
      "count the presented certificates; the leaf's issuer is not among them nor an anchor",     \
      "put the intermediate behind the leaf in the identity's file")                             \
    X(self_signed_untrusted, "self-signed certificate not trusted",                              \
      "the leaf is signed by its own key and is not itself an anchor",                           \
      "subject and issuer of the leaf are equal",                                                \
      "replace it with a certificate from the cluster's issuer, or trust it explicitly")         \
    X(hostname_mismatch, "name does not match",                                                  \
      "the name that the client dialled is not among the certificate's names (RFC 9525)",        \
      "compare the dialled name with the subjectAltName entries",                                \
      "reissue with the missing name, or dial a name that the certificate has")                  \
    X(client_cert_missing, "client certificate missing",                                         \
      "the server requires a client certificate and the client presented none",                  \
      "look whether the client has an identity configured and readable",                         \
      "configure the client's certificate and key")                                              \
    X(client_ca_not_accepted, "client certificate's issuer not accepted",                        \
      "no anchor of the server vouches for the client's certificate",                            \
      "compare the client certificate's issuer with the server's acceptable CA names",           \
      "add the client's root to the server's trust store")                                       \
    X(client_cert_expired, "client certificate expired",                                         \
      "the client's certificate is past its notAfter",                                           \
      "compare the client certificate's notAfter with the server's clock",                       \
      "renew the client's certificate")                                                          \
    X(signing_cert_expired, "signing certificate expired",                                       \
      "a verifier refuses what was signed with a key whose certificate is past its notAfter",    \
      "compare the notAfter of the signer's certificate with the verifier's clock",              \
      "renew the signer's certificate; verifiers must trust the new one before it signs")        \
    X(pin_mismatch, "certificate is not the one that is remembered",                             \
      "the end that judges remembers a certificate or public key, and the leaf is another",      \
      "compare the digests of the leaf and of its public key with the pins",                     \
      "make sure that the new certificate is genuine, then add its pin before the old one goes") \
    X(client_identity_not_authorised, "client identity not authorised",                          \
      "the client certificate is valid but its name is not one that may act as this user",       \
      "compare the certificate's CN (or the pg_ident map) with the user",                        \
      "reissue with the right CN, or correct the map")                                           \
    X(key_mismatch, "key does not match the certificate",                                        \
      "the private key is not the one whose public half is in the certificate",                  \
      "compare the public key of both files",                                                    \
      "restore the matching pair; never reload a mismatched one")                                \
    X(wrong_key_usage, "certificate not meant for this use",                                     \
      "keyUsage or extendedKeyUsage excludes the role that the certificate is used in",          \
      "look for serverAuth or clientAuth in the extendedKeyUsage",                               \
      "reissue with the right extendedKeyUsage")                                                 \
    X(ca_basic_constraints, "issuer is not a CA",                                                \
      "a certificate that signs others lacks CA:TRUE, or its path length is exceeded",           \
      "look at basicConstraints of every issuer in the chain (RFC 5280, 4.2.1.9)",               \
      "use an issuer that is a CA")                                                              \
    X(name_constraints, "name outside the issuer's constraints",                                 \
      "an issuer's nameConstraints exclude a name of the leaf (RFC 5280, 4.2.1.10)",             \
      "compare the leaf's names with the issuer's permitted and excluded subtrees",              \
      "issue from a CA whose constraints allow the name")                                        \
    X(weak_signature_or_key, "key or signature too weak",                                        \
      "a key or a signature algorithm is below what the stack's security level accepts",         \
      "look at the key's bits and the signature algorithm of each certificate",                  \
      "reissue with a stronger key and SHA-256 or better")                                       \
    X(cert_malformed, "certificate malformed",                                                   \
      "the certificate cannot be decoded or breaks RFC 5280",                                    \
      "inspect the file; the report names the byte",                                             \
      "restore or reissue the certificate")                                                      \
    X(revoked, "certificate revoked",                                                            \
      "a CRL of the issuer lists the certificate's serial number",                               \
      "look the serial number up in the CRL",                                                    \
      "reissue the certificate")                                                                 \
    X(crl_expired_or_unreachable, "CRL expired or missing",                                      \
      "the verifier demands a CRL and has none that is current",                                 \
      "look at the CRL's nextUpdate",                                                            \
      "publish a fresh CRL")                                                                     \
    X(keystore_missing, "store missing or unreadable",                                           \
      "a certificate or key file is not there, or the service's user may not read it",           \
      "list the file as the service's user",                                                     \
      "restore the file or its permissions")                                                     \
    X(keystore_password_wrong, "wrong password for a store",                                     \
      "an encrypted key or store does not open with the password given",                         \
      "try the password by hand",                                                                \
      "give the right password by file, descriptor, command or prompt")                          \
    X(keystore_format, "store in an unexpected format",                                          \
      "the file is not what its consumer expects: empty, corrupt or of another format",          \
      "inspect the file",                                                                        \
      "write the store in the format that the service reads")                                    \
    X(truststore_empty, "trust store empty",                                                     \
      "the end that judges has no anchor at all",                                                \
      "inspect the trust store",                                                                 \
      "put the issuer's root in it")                                                             \
    X(truststore_stale_after_rotation, "trust store has an old root of the same name",           \
      "an anchor with the issuer's name is there, but its key is another",                       \
      "compare the key identifiers of the issuer and the anchor",                                \
      "add the new root to the trust store")                                                     \
    X(restart_needed_after_renewal, "renewed but not loaded",                                    \
      "the store holds a new certificate; the service still presents the old one",               \
      "compare the certificate in the store with the one on the wire",                           \
      "reload or restart the service")                                                           \
    X(protocol_version_mismatch, "no common TLS version",                                        \
      "client and server have no protocol version in common",                                    \
      "compare the configured minimum and maximum versions",                                     \
      "allow TLS 1.2 or 1.3 at both ends")                                                       \
    X(plaintext_on_tls_port, "plain text on a TLS port",                                         \
      "one end speaks plain text where the other expects TLS",                                   \
      "look at the first bytes on the wire",                                                     \
      "use TLS at both ends")                                                                    \
    X(tls_on_plaintext_port, "TLS on a plain text port",                                         \
      "the server does not speak TLS on this port, or TLS is switched off",                      \
      "look at the server's TLS setting",                                                        \
      "switch TLS on at the server")                                                             \
    X(not_tls, "not a TLS fault",                                                                \
      "the connection fails for a reason that has nothing to do with certificates",              \
      "look at the text of the refusal",                                                         \
      "see the service's own log")

enum severity { SEVERITY_INFO, SEVERITY_WARNING, SEVERITY_CRITICAL };

/* id, severity, cause (cause_none where it leads to none), what it is */
#define FINDINGS(X)                                                                              \
    X(expired, CRITICAL, leaf_expired, "a certificate is past its notAfter")                     \
    X(expiring, WARNING, leaf_expired, "a certificate ends within renew_before")                 \
    X(key_mismatch, CRITICAL, key_mismatch, "key and certificate do not belong together")        \
    X(key_without_certificate, WARNING, none, "a key has no certificate beside it")              \
    X(certificate_without_key, WARNING, none, "an identity has a certificate but no key")        \
    X(certificate_missing, CRITICAL, keystore_missing, "where a certificate should be is none") \
    X(keystore_unreadable, CRITICAL, keystore_missing, "a store cannot be read by its service")  \
    X(keystore_password_wrong, CRITICAL, keystore_password_wrong, "a password opens nothing")    \
    X(keystore_format, CRITICAL, keystore_format, "a store is empty, corrupt or of another kind")\
    X(chain_out_of_order, WARNING, chain_incomplete, "a chain is not in the order of signing")   \
    X(duplicate_certificate, INFO, none, "a store holds one certificate more than once")         \
    X(weak_key, WARNING, weak_signature_or_key, "a key or signature is weak")                    \
    X(leaf_outlives_issuer, WARNING, none, "a certificate ends after the one that signed it")    \
    X(loose_permissions, WARNING, none, "a private key can be read by others")                   \
    X(text_encoding, INFO, none, "CRLF line ends or a byte order mark that some readers refuse") \
    X(restart_needed_after_renewal, CRITICAL, restart_needed_after_renewal,                      \
      "a service presents an older certificate than its store holds")                            \
    X(root_expiring, WARNING, root_expired, "an anchor ends within renew_before")                \
    X(clock_skew, CRITICAL, not_yet_valid, "a node's clock differs from ours")                   \
    X(undeclared_peer, WARNING, none, "someone is connected who is not in the cluster file")     \
    X(node_unreachable, CRITICAL, none, "a node cannot be reached")                              \
    X(service_down, WARNING, none, "a service does not answer")                                  \
    X(unhealthy, CRITICAL, none, "a service's health command or control socket says no")         \
    X(derived_store_stale, CRITICAL, none, "a store lacks what the one it is made from has")     \
    X(not_replicating, CRITICAL, none, "a standby does not stream from its primary")             \
    X(waiting, INFO, none, "an apply waits for someone outside, or for time to pass")            \
    X(wrong_on_wire, CRITICAL, none, "the wire refuses what the stores say should work")         \
    X(pin_stale, INFO, pin_mismatch, "a pin matches nothing that is shown to who holds it")
// clang-format on

#define CAUSE_ENUM(id, ...) CAUSE_##id,
enum cause { CAUSE_none, CAUSES(CAUSE_ENUM) CAUSE_COUNT };
#undef CAUSE_ENUM

#define FINDING_ENUM(id, ...) FINDING_##id,
enum finding_code { FINDINGS(FINDING_ENUM) FINDING_COUNT };
#undef FINDING_ENUM

struct cause_row {
    const char *code, *title, *meaning, *confirm, *remedy;
};
struct finding_row {
    const char *code;
    enum severity severity;
    enum cause cause;
    const char *meaning;
};

const struct cause_row *cause_row(enum cause cause); /* NULL for CAUSE_none */
const char *cause_code(enum cause cause);            /* NULL for CAUSE_none */
bool cause_parse(str code, enum cause *ret_cause);
const struct finding_row *finding_row(enum finding_code code);
bool finding_parse(str code, enum finding_code *ret_code);
const char *severity_name(enum severity severity); /* "info", "warning", "critical" */

/* Something someone must act on. All texts live as long as the arena it was made in. */
struct finding {
    enum finding_code code;
    enum severity severity; /* the row's, unless the user set another */
    str where;              /* "db1/server", a path, or host:port */
    str text;               /* one sentence with the evidence */
    str next;               /* the next command to type; empty when there is none */
};
typedef LIST(struct finding) finding_list;

struct finding *finding_add(struct arena *arena, finding_list *list, enum finding_code code,
                            str where, str text);
void finding_emit(struct emit *emit, const struct finding *finding);
void findings_emit(struct emit *emit, const char *name, const finding_list *list);

#endif
