/* SPDX-License-Identifier: Apache-2.0 */
#include "cluster/schema.h"

#include "base/clock.h"
#include "cluster/ssh.h"

#include <string.h>

/* The comparisons never run; a row whose C type is wrong does not compile. */
#define AT(type, member) (offsetof(OWNER, member) + 0 * sizeof((type *)0 == &((OWNER *)0)->member))
#define ITEMS(type, member) \
    (offsetof(OWNER, member) + 0 * sizeof((type *)0 == ((OWNER *)0)->member.items))
#define STRING(m, ...)                            \
    {                                             \
#m, FIELD_STRING, AT(str, m), __VA_ARGS__ \
    }
#define PATH(m, ...)                            \
    {                                           \
#m, FIELD_PATH, AT(str, m), __VA_ARGS__ \
    }
#define CHOICE(m, text, ...)                                       \
    {                                                              \
#m, FIELD_CHOICE, AT(str, m), text, .choices = __VA_ARGS__ \
    }
#define DURATION(m, ...)                                \
    {                                                   \
#m, FIELD_DURATION, AT(int64_t, m), __VA_ARGS__ \
    }
#define NUMBER(m, ...)                                 \
    {                                                  \
#m, FIELD_NUMBER, AT(uint64_t, m), __VA_ARGS__ \
    }
#define STRINGS(m, text)                         \
    {                                            \
#m, FIELD_STRINGS, AT(str_list, m), text \
    }
#define ONE(m, type, sub, text)                      \
    {                                                \
#m, FIELD_SECTION, AT(type, m), text, &(sub) \
    }
#define MANY(m, type, sub, kind, text)         \
    {                                          \
#m, kind, ITEMS(type, m), text, &(sub) \
    }

// clang-format off
#define OWNER struct secret_source
static const struct field secret_fields[] = {
    PATH(file, "a file whose content is the secret"),
    STRING(env, "the environment variable that holds it"),
    STRINGS(command, "a command that prints it, as an argument list"),
    { "descriptor", FIELD_DESCRIPTOR, AT(int, descriptor), "an inherited file descriptor to read it from" },
};
#undef OWNER
static const struct section secret_section = { "secret", sizeof(struct secret_source), secret_fields, COUNT(secret_fields), 0, true, .one_of = true };

#define OWNER struct issuer_conf
static const struct field issuer_fields[] = {
    CHOICE(kind, "what signs: local is a CA whose key is in a file; csr is someone who is sent requests and may take days", "local|csr", .fallback = "local"),
    PATH(certificate, "the authority's certificate; a csr may be without one when the certificates that are there tell who signs"),
    PATH(key, "local: the authority's private key"),
    PATH(directory, "csr: the folder where requests are written, and where the certificates are put that come for them"),
    ONE(passphrase, struct secret_source, secret_section, "where the key's passphrase comes from"),
};
#undef OWNER
static const struct variant issuer_variants[] = {
    { "local", "certificate|key", "directory" },
    { "csr", "directory", "key|passphrase" },
    { 0 },
};
const struct section issuer_section = { "issuer", sizeof(struct issuer_conf), issuer_fields, COUNT(issuer_fields), offsetof(struct issuer_conf, line), true, .variants = issuer_variants };

#define OWNER struct policy_conf
static const struct field policy_fields[] = {
    DURATION(renew_before, "a certificate is due when less than this is left of it", .fallback = "30d"),
    DURATION(lifetime, "lifetime of a new certificate", .fallback = "90d"),
    CHOICE(key, "whether a renewed certificate gets a new private key or keeps the old one", "new|keep", .fallback = "new"),
    NUMBER(max_unavailable, "how many services of a group a plan may change at once", .fallback = "1", .max = 100000),
    CHOICE(other_issuers, "certificates of another CA than the issuer: keep until they are due, or replace, and take that CA's anchors out of the trust stores", "keep|replace", .fallback = "keep"),
    DURATION(hold, "how long an old anchor stays after the last certificate that it vouches for has gone (default: not at all)"),
    STRINGS(windows, "when a step may run that takes connections down, in UTC: Sat 22:00-04:00, daily 02:00-03:00 (default: at any time)"),
    CHOICE(on_failure, "after a failed step: stop leaves the rest undone", "stop", .fallback = "stop"),
};
#undef OWNER
static const struct section policy_section = { "policy", sizeof(struct policy_conf), policy_fields, COUNT(policy_fields), 0, true };

#define OWNER struct store_conf
static const struct field store_fields[] = {
    CHOICE(format, "file format; found by content when absent, but pins must be named: one pin a line, sha256//BASE64 of a public key or cert:sha256:HEX", "pem|der|pins"),
    PATH(certificate, "the certificate to show, followed by its chain"),
    PATH(key, "its private key"),
    PATH(certificates, "the certificates that are trusted"),
    CHOICE(holds, "one where there is room for a single trusted certificate, as in an appliance's slot: a new one takes the place of the old in one step", "many|one", .fallback = "many"),
    PATH(crl, "certificate revocation lists"),
    PATH(path, "the one file of a format that keeps keys and certificates together"),
    ONE(password, struct secret_source, secret_section, "where the password comes from"),
    STRING(derived_from, "the store on this node that this one is made from, and made from again whenever that one changes"),
    STRINGS(derive, "a command that prints the new content of a derived store that is one file, as an argument list; without one, certificates and key are copied"),
};
#undef OWNER
static const struct section store_section = { "store", sizeof(struct store_conf), store_fields, COUNT(store_fields), offsetof(struct store_conf, line), false };

#define OWNER struct identity_conf
static const struct field identity_fields[] = {
    STRING(store, "the store on this node that holds certificate and key", .required = true),
    STRING(sni, "the server name that a client must ask for to be shown this one"),
};
#undef OWNER
static const struct section identity_section = { "identity", sizeof(struct identity_conf), identity_fields, COUNT(identity_fields), offsetof(struct identity_conf, line), false };

#define LOADS "per_connection|per_session|reload|restart"
#define OWNER struct load_conf
static const struct field load_fields[] = {
    CHOICE(identity, "when a new certificate and key take effect", LOADS),
    CHOICE(trust, "when a changed trust store takes effect", LOADS),
};
#undef OWNER
static const struct section load_section = { "load", sizeof(struct load_conf), load_fields, COUNT(load_fields), 0, false };

#define OWNER struct service_conf
static const struct field service_fields[] = {
    STRING(listen, "address:port that it listens on; absent for a pure client"),
    STRING(protocol, "how TLS begins there: a name that check --protocol takes"),
    MANY(identities, struct identity_conf, identity_section, FIELD_SECTIONS, "the certificates that it shows"),
    STRINGS(trust, "the stores on this node whose certificates it accepts"),
    STRINGS(pins, "the stores of pins on this node: a certificate that is shown to it must match one of them"),
    CHOICE(client_auth, "whether its clients show a certificate", "none|optional|required"),
    STRING(client_identity, "the subject that a client's certificate must have, such as CN=app"),
    STRINGS(mapped_users, "users whose client certificate may have another name, because a map ties the two; all: everyone"),
    CHOICE(stack, "the TLS library that it uses", "openssl|gnutls|go|jsse|nginx"),
    CHOICE(client_selects, "as a client: shows its certificate always, or the first one of an issuer that the server names; absent: by_issuer for go and jsse", "always|by_issuer"),
    ONE(load, struct load_conf, load_section, "who loads what, when"),
    CHOICE(role, "its part in replication", "primary|replica"),
    STRING(group, "services with one name here do each other's work: max_unavailable counts within it"),
    STRING(run_as, "the user it runs as"),
    STRINGS(refresh, "the command that makes it load new files, as an argument list"),
    STRINGS(health, "a command that succeeds when the service is well, as an argument list: run after each refresh, and by check"),
    PATH(admin, "HAProxy's admin socket: new files are loaded through it, and `refresh` is run only where that is not enough"),
    PATH(reference, "the one file that names its certificates and keys: a libpq service file, or a configuration file with the paths as whole words"),
};
#undef OWNER
static const struct section service_section = { "service", sizeof(struct service_conf), service_fields, COUNT(service_fields), offsetof(struct service_conf, line), false };

#define OWNER struct node_conf
static const struct field node_fields[] = {
    { "reach", FIELD_REACH, AT(str, reach), "how the node is reached: on this machine, or by the OpenSSH client", .fallback = "local" },
    STRINGS(program, "what starts reseal at a node that is reached over ssh, as an argument list, such as [sudo, -n, /usr/local/bin/reseal]; absent: reseal"),
    STRING(system, "the product, such as postgresql, whose driver finds stores and services"),
    PATH(data, "data folder of the system"),
    PATH(socket, "socket folder of the system"),
    PATH(config, "main configuration file of the system"),
    NUMBER(port, "port of the system", .max = 65535),
    STRING(run_as, "the user the system runs as"),
    PATH(state, "folder for this node's lease, snapshots and new keys (default: below reseal's own)"),
    MANY(stores, struct store_conf, store_section, FIELD_MAP, "files with keys and certificates, by name"),
    MANY(services, struct service_conf, service_section, FIELD_MAP, "what uses them, by name"),
};
#undef OWNER
const struct section node_section = { "node", sizeof(struct node_conf), node_fields, COUNT(node_fields), offsetof(struct node_conf, line), false };

#define OWNER struct link_conf
static const struct field link_fields[] = {
    CHOICE(kind, "a connection, or signatures (tokens, say) that one service makes and another verifies", "connect|signer", .fallback = "connect"),
    STRING(from, "the client or signer, as node/service", .required = true),
    STRING(to, "the server or verifier, as node/service", .required = true),
    STRING(name, "the name that the client dials and verifies"),
    STRING(identity, "the client's or signer's identity: a store on its node"),
    STRING(trust, "the client's or verifier's trust: a store on its node"),
    STRING(pins, "the client's or verifier's pins: a store on its node"),
    CHOICE(verify, "what the client verifies: ca the server's issuer, full its name as well", "none|ca|full"),
    STRING(user, "the user that the client logs in as"),
    STRING(database, "the database that the client asks for; replication: it streams from the server"),
};
#undef OWNER
static const struct section link_section = { "link", sizeof(struct link_conf), link_fields, COUNT(link_fields), offsetof(struct link_conf, line), false };

#define OWNER struct pin_conf
static const struct field pin_fields[] = {
    STRING(cert, "the certificate: sha256: and its SHA-256 in hex"),
    STRING(spki, "the public key: sha256: and the SHA-256 of its SubjectPublicKeyInfo in hex"),
};
#undef OWNER
static const struct section pin_section = { "pin", sizeof(struct pin_conf), pin_fields, COUNT(pin_fields), offsetof(struct pin_conf, line), .one_of = true };

#define OWNER struct pinned_conf
static const struct field pinned_fields[] = {
    MANY(pins, struct pin_conf, pin_section, FIELD_SECTIONS, "what is remembered of the service"),
};
#undef OWNER
static const struct section pinned_section = { "pinned", sizeof(struct pinned_conf), pinned_fields, COUNT(pinned_fields), offsetof(struct pinned_conf, line), .listed = true };

#define OWNER struct cluster
static const struct field cluster_fields[] = {
    { "cluster", FIELD_STRING, AT(str, name), "the cluster's name", .required = true },
    STRING(id, "the cluster's UUID"),
    PATH(ssh_config, "ssh_config(5) file for the nodes that are reached over ssh; absent: ~/.ssh/config and /etc/ssh/ssh_config"),
    ONE(issuer, struct issuer_conf, issuer_section, "what signs new certificates"),
    ONE(policy, struct policy_conf, policy_section, "when and how certificates are renewed"),
    MANY(nodes, struct node_conf, node_section, FIELD_MAP, "machines, by name"),
    MANY(links, struct link_conf, link_section, FIELD_SECTIONS, "who connects to whom"),
    MANY(pins, struct pinned_conf, pinned_section, FIELD_MAP, "what clients remember of a service (node/service), where reseal cannot change it: in their code, say"),
};
#undef OWNER
const struct section cluster_section = { "cluster", sizeof(struct cluster), cluster_fields, COUNT(cluster_fields), 0, true };
// clang-format on

struct any_list field_list(const void *object, const struct field *field)
{
    struct any_list list;
    memcpy(&list, (const char *)object + field->offset, sizeof(list));
    return list;
}

void *list_item(const struct field *field, struct any_list list, size_t i)
{
    return (char *)list.items + i * field->section->size;
}

void *field_add(struct arena *arena, void *object, const struct field *field)
{
    struct any_list list = field_list(object, field);
    if (list.count == list.cap)
        list_grow(arena, &list.items, &list.cap, field->section->size);
    list.count++;
    memcpy((char *)object + field->offset, &list, sizeof(list));
    return list_item(field, list, list.count - 1);
}

static bool section_is_default(const void *object, const struct section *section)
{
    for (size_t i = 0; i < section->count; i++)
        if (!field_is_default(object, &section->fields[i]))
            return false;
    return true;
}

bool field_is_default(const void *object, const struct field *field)
{
    const void *at = (const char *)object + field->offset;
    int64_t seconds = 0;
    uint64_t number = 0;
    switch (field->kind) {
    case FIELD_STRING:
    case FIELD_PATH:
    case FIELD_CHOICE:
    case FIELD_REACH:
        return ((const str *)at)->len == 0 || str_eq(*(const str *)at, str_c(field->fallback));
    case FIELD_DURATION:
        (void)(field->fallback != NULL && clock_parse_duration(str_c(field->fallback), &seconds));
        return *(const int64_t *)at == seconds;
    case FIELD_NUMBER:
        (void)(field->fallback != NULL && str_to_u64(str_c(field->fallback), field->max, &number));
        return *(const uint64_t *)at == number;
    case FIELD_DESCRIPTOR:
        return *(const int *)at < 0;
    case FIELD_SECTION:
        /* An issuer of nothing but defaults is not there: each kind needs more than that. */
        return section_is_default(at, field->section);
    case FIELD_STRINGS:
    case FIELD_SECTIONS:
    case FIELD_MAP:
        return field_list(object, field).count == 0;
    }
    return false;
}

bool section_is_elsewhere(const struct section *section, const void *object)
{
    return section == &node_section && ssh_is_meant(((const struct node_conf *)object)->reach);
}

bool choice_valid(const char *choices, str value)
{
    for (str rest = str_c(choices); rest.len > 0;)
        if (str_eq(str_cut(&rest, '|'), value))
            return true;
    return false;
}

void schema_sections(struct arena *arena, const struct section *section, section_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        if (list->items[i] == section)
            return;
    list_push(arena, list) = section;
    for (size_t i = 0; i < section->count; i++)
        if (section->fields[i].section != NULL)
            schema_sections(arena, section->fields[i].section, list);
}
