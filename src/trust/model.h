/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model.h - who presents what to whom, and who trusts what: dense ids and nothing else.
 *
 * Certificates are interned by fingerprint; chains and anchor sets are interned by content, so a
 * state of the whole cluster is two arrays of small integers and a verdict depends on a few of
 * them. `stored` is what the files hold, `loaded` what the running process uses: a service that
 * loads at reload or restart can run with something else than its store holds, and after a crash
 * of its machine it runs with what is stored. Pure: nothing here touches a file or a socket.
 */
#ifndef TRUST_MODEL_H
#define TRUST_MODEL_H

#include "base/map.h"
#include "trust/stack.h"
#include "x509/cert.h"
#include "x509/pin.h"

#define NO_ID UINT32_MAX

enum load_mode { LOAD_PER_CONNECTION, LOAD_PER_SESSION, LOAD_RELOAD, LOAD_RESTART };
enum verify_mode { VERIFY_NONE, VERIFY_CA, VERIFY_FULL };
enum client_auth { CLIENT_AUTH_NONE, CLIENT_AUTH_OPTIONAL, CLIENT_AUTH_REQUIRED };
enum store_kind { STORE_ANCHORS, STORE_PINS };
enum link_kind { LINK_CONNECT, LINK_SIGNER };

/* One store that holds anchors, or pins (model_pin()). Key: "node/store". */
struct trust_store {
    str key;
    str node, name;
    str path;
    enum store_kind kind;
    bool fixed;       /* kept where reseal cannot change it */
    bool single;      /* it has room for one anchor: a new one takes the place of the old */
    uint32_t anchors; /* anchor set id, as stored */
};

/* One chain that a service presents. Key: "node/service:store"; without a service it is one that
   nobody reads, the source or a copy of another. Rows of one node and store read the
   same files, each by its own reference: see `first`. */
struct identity {
    str key;
    str node, service, store;
    enum load_mode load;
    uint32_t first;          /* the first row of that node and store; set when it is added */
    bool has_reference;      /* one reference can be switched to new names: a new key is safe */
    bool one_file;           /* certificate and key: one rename replaces both */
    uint32_t stored, loaded; /* chain ids; NO_ID: nothing, or unreadable */
    bool stale; /* a running session still shows an older one than is loaded: it must reconnect */
    bool gone;  /* no certificate is where it should be, though its key is */
    bool key_mismatch; /* stored key and certificate do not match: a reload keeps the old pair */
};

/* What one service trusts for one purpose. Key: "node/service:store[+store]". Where the set has
   pins, the leaf must match one of them, besides what the anchors say. */
struct truster {
    str key;
    str node, service;
    enum load_mode load;
    LIST(uint32_t) stores; /* trust_store ids; stored is their union */
    uint32_t loaded;       /* anchor set id */
    bool stale;            /* it was seen to have loaded an anchor that none of its stores holds */
};

struct service {
    str key; /* "node/service" */
    str node, name;
    str role;
    str group;     /* services that do each other's work: so many of them may be down at once */
    str process;   /* key of the first service that the same command refreshes; empty: itself */
    bool restarts; /* it loads something only when it starts anew */
    enum stack_id stack;
    enum client_auth client_auth;
    str client_identity;     /* what the client certificate's subject must have: "CN=postgres" */
    uint32_t client_truster; /* judges client certificates; NO_ID: none */
    bool pins_alone;         /* judges client certificates by its pins, whatever their dates */
};

/*
 * A client that must be accepted by a server, and the other way round. Where a server may show one
 * of several certificates, each of them is a row of its own: all must work.
 *
 * LINK_SIGNER: `from` signs what `to` verifies. The signer's chain is the server_identity and the
 * verifier's trust the client_truster; no end presents anything else, no name is dialled.
 */
struct link {
    str key; /* "db2/postgres->db1/postgres", with ":store", "#user" where needed to be unique */
    enum link_kind kind;
    uint32_t from, to;        /* service ids */
    uint32_t server_identity; /* identity id or NO_ID */
    uint32_t client_identity; /* identity id or NO_ID */
    /* The client presents the first identity of which an issuer is among the names that the server
       accepts, else nothing: of client_identity and what follows here. */
    bool by_issuer;
    LIST(uint32_t) more_identities;
    uint32_t client_truster; /* judges the server's certificate; NO_ID: nothing does */
    enum verify_mode verify; /* VERIFY_NONE: by pins alone, where the truster has pins */
    str name;                /* verified with VERIFY_FULL */
    str user;                /* must be the CN where the server maps it so */
    bool user_is_cn;         /* pg_hba `cert` or clientcert=verify-full: CN must equal the user */
};

/* A store that is made from another one of its node, and follows it: ids of trust stores, or of
   identities. What is derived is the source of nothing. */
struct derivation {
    uint32_t source, copy;
};
typedef LIST(struct derivation) derivation_list;

struct model {
    struct arena *arena; /* borrowed */
    LIST(struct cert) certs;
    str_list chains;      /* packed uint32_t cert ids, leaf first */
    str_list anchor_sets; /* packed uint32_t cert ids, as in the file */
    str_list offers;      /* packed uint32_t chain ids, in order of preference */
    LIST(struct trust_store) stores;
    LIST(struct identity) identities;
    LIST(struct truster) trusters;
    LIST(struct service) services;
    LIST(struct link) links;
    derivation_list derived_stores, derived_identities;
    struct map cert_ids, chain_ids, anchor_ids, offer_ids, store_ids, identity_ids, truster_ids,
        service_ids, link_ids;
    struct map first_ids; /* "node/store" -> the first identity that reads it */
};

void model_init(struct model *model, struct arena *arena);

/* Rows, by key: a key that is there already is overwritten and keeps its id. Texts are borrowed
   and must live as long as the model. To find a row: map_get(&model->store_ids, key), which
   answers NO_ID when there is none. */
uint32_t model_add_store(struct model *model, const struct trust_store *store);
uint32_t model_add_identity(struct model *model, const struct identity *identity);
uint32_t model_add_truster(struct model *model, const struct truster *truster);
uint32_t model_add_service(struct model *model, const struct service *service);
uint32_t model_add_link(struct model *model, const struct link *link);

/* The id of "node/service", or NO_ID. */
uint32_t model_service(const struct model *model, str node, str service);

/* The service that stands for all those which load together with this one. */
uint32_t model_process(const struct model *model, uint32_t service);

/* Intern; the same content gives the same id. The texts of a certificate are borrowed. An anchor
   set keeps the order of its members, as OpenSSL goes by it, and the first of those that are the
   same. */
uint32_t model_cert(struct model *model, const struct cert *cert);
uint32_t model_chain(struct model *model, const uint32_t *certs, size_t count);
uint32_t model_anchors(struct model *model, const uint32_t *certs, size_t count);

/* The chains that a client can choose from; NO_IDs are left out. */
uint32_t model_offer(struct model *model, const uint32_t *chains, size_t count);

/* A pin is a row among the certificates too, with nothing but the digest that it remembers: its
   sha256 is "cert:<digest>" or "spki:<digest>". The digest is 64 hex digits, or "new:…" for that of
   a planned certificate. It matches a leaf whose sha256 or spki_sha256 is the same. */
uint32_t model_pin(struct model *model, struct pin pin);
uint32_t model_pin_of(struct model *model, enum pin_kind kind, uint32_t cert);
bool model_is_pin(const struct model *model, uint32_t cert);
bool model_pin_matches(const struct model *model, uint32_t pin, uint32_t cert);

/* How a certificate is named in plans: "sha256:…", "new:…"; a pin by its name. And the id of what
   is named so, or NO_ID. */
str model_cert_name(struct arena *arena, const struct model *model, uint32_t cert);
uint32_t model_cert_named(const struct model *model, str name);

/* Members of a chain, an anchor set or an offer; they live as long as the model. */
const uint32_t *model_members(str packed, size_t *ret_count);

/* `set` with `cert` added at its end or removed; the union of sets, one after the other. */
uint32_t model_anchors_with(struct model *model, uint32_t set, uint32_t cert);
bool model_anchors_have(const struct model *model, uint32_t set, uint32_t cert);
uint32_t model_anchors_without(struct model *model, uint32_t set, uint32_t cert);
uint32_t model_anchors_union(struct model *model, const uint32_t *sets, size_t count);

/* What a truster would trust if it loaded its stores now. */
uint32_t truster_stored(struct model *model, const struct truster *truster);

/* Whether the store is one of those that the truster reads; NO_ID reads none. */
bool model_reads(const struct model *model, uint32_t truster, uint32_t store);

#endif
