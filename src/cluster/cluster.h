/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster.h - the cluster file: what is declared of nodes, stores, services and links.
 *
 * One schema table (schema.c) drives the parser, its errors (file, line, nearest valid name), the
 * writer, the JSON Schema and docs/cluster.md. What a driver discovers is a fragment in the same
 * words, so that discovered and declared facts merge, print and compare in one way.
 *
 * Everything lives in the arena that was given to the parser. A value that is not there is the
 * empty string, an empty list or 0; `line` is where it was declared, 0 for a discovered one.
 * Paths are absolute after parsing: they were relative to the file. Those of a node that is reached
 * over ssh are paths there, and absolute in the file.
 */
#ifndef CLUSTER_CLUSTER_H
#define CLUSTER_CLUSTER_H

#include "base/err.h"
#include "base/str.h"

#include <stdint.h>

/* Where a secret comes from; never the secret itself. At most one of them is set. */
struct secret_source {
    str file, env;
    str_list command; /* an argument vector; its standard output is the secret */
    int descriptor;   /* -1 when there is none */
};

struct issuer_conf {
    str kind; /* "local" | "csr"; "local" also when there is no issuer: then `line` is 0 */
    str certificate, key;
    str directory; /* csr: where requests are written and certificates are put */
    struct secret_source passphrase;
    int line;
};

struct policy_conf {
    int64_t renew_before; /* seconds, 30d */
    int64_t lifetime;     /* seconds, 90d */
    str key;              /* "new" or "keep" */
    uint64_t max_unavailable;
    str other_issuers; /* "keep" or "replace" */
    int64_t hold;      /* seconds between the last new identity and the end of an old anchor */
    str_list windows;  /* when services may be restarted or refused, as window.h reads them */
    str on_failure;    /* "stop" */
};

struct store_conf {
    str name;
    str format;           /* "pem", "der"; empty: found by content */
    str certificate, key; /* an identity: chain and key */
    str certificates;     /* a trust store */
    str crl;
    str path;  /* formats that hold all in one file: "pins" */
    str holds; /* of certificates that are trusted: "many" (default) | "one" */
    struct secret_source password;
    str derived_from; /* the store on this node that it is made from; empty: it stands alone */
    str_list derive;  /* the command that prints what is in it then; empty: it is copied */
    int line;
};

struct identity_conf {
    str store;
    str sni;
    int line;
};

/* Who loads what, when. */
struct load_conf {
    str identity, trust; /* per_connection | per_session | reload | restart */
};

struct service_conf {
    str name;
    str listen;   /* "127.0.0.1:5441"; empty for a pure client */
    str protocol; /* a dialogue's name */
    LIST(struct identity_conf) identities;
    str_list trust, pins;  /* store names */
    str client_auth;       /* none | optional | required */
    str client_identity;   /* "CN=postgres"; empty: any */
    str_list mapped_users; /* whose certificate may have another name: there is a user name map */
    str stack;             /* "openssl", …; empty: openssl */
    str client_selects;    /* always | by_issuer; empty: the stack's default */
    struct load_conf load;
    str role;  /* primary | replica | empty */
    str group; /* services that do each other's work */
    str run_as;
    str_list refresh; /* argument vector */
    str_list health;  /* argument vector: exit code 0 when all is well */
    str admin;        /* HAProxy's admin socket */
    str reference;    /* the one file that names its identities: see system/generic/reference.h */
    int line;
};

struct node_conf {
    str name;
    str reach;                /* "local", or "ssh://…" (ssh.h) */
    str_list program;         /* ssh: what starts reseal there; empty: reseal */
    str system;               /* a driver's name; empty: generic */
    str data, socket, config; /* postgresql: data folder, socket folder, postgresql.conf */
    uint64_t port;            /* postgresql */
    str run_as;
    str state; /* folder for this node's lease, snapshots and new keys; empty: the usual place */
    LIST(struct store_conf) stores;
    LIST(struct service_conf) services;
    int line;
};

struct link_conf {
    str kind;     /* "connect" (default) | "signer" */
    str from, to; /* "node/service" */
    str name;     /* the name that the client dials and verifies */
    /* Store names on the client's node, a signer's trust and pins on the verifier's; empty: the
       service's own. */
    str identity, trust, pins;
    str verify;         /* none | ca | full */
    str user, database; /* what a client that logs in asks for; "replication": a walreceiver */
    str address;        /* host:port as the client's own settings have it; in no file */
    int line;
};

/* What somebody remembers of a service: one of them is set, "sha256:" and 64 hex digits. */
struct pin_conf {
    str cert, spki;
    int line;
};

/* Pins that are kept where reseal cannot change them. */
struct pinned_conf {
    str service; /* "node/service" */
    LIST(struct pin_conf) pins;
    int line;
};

struct cluster {
    struct arena *arena; /* borrowed; owns everything here */
    str path;            /* of the file, as given */
    str id;              /* UUID */
    str name;
    str ssh_config; /* ssh_config(5) file for the nodes that are reached so; empty: ssh's own */
    struct issuer_conf issuer;
    struct policy_conf policy;
    LIST(struct node_conf) nodes;
    LIST(struct link_conf) links;
    LIST(struct pinned_conf) pins;
};

/* A file is not longer than this, nor is a fragment: what a node says of itself. */
enum { CLUSTER_FILE_MAX = 256 * 1024 * 1024, CLUSTER_FRAGMENT_MAX = 4 * 1024 * 1024 };

/* Parse a whole file. Errors name file, line and the nearest valid name. */
MUST_CHECK bool cluster_read(struct arena *arena, const char *path, struct cluster *ret_cluster,
                             struct err *err);

/* Parse text (YAML, of which JSON is a part). `path` is for messages and relative paths. With
   `fragment`, references may point outside the text and `cluster:` need not be there. */
MUST_CHECK bool cluster_parse(struct arena *arena, const char *path, str text, bool fragment,
                              struct cluster *ret_cluster, struct err *err);

/* Add what `discovered` says to `cluster`: a declared value wins over a discovered one. */
void cluster_merge(struct cluster *cluster, const struct cluster *discovered);

/* The file for this cluster: parsing it back gives an equal cluster. Paths below the file's folder
   are written relative to it. */
str cluster_format(struct arena *arena, const struct cluster *cluster);

/* A new UUID (RFC 9562, 5.4): what a cluster is told from any other by. */
MUST_CHECK bool cluster_new_id(struct arena *arena, str *ret_id, struct err *err);

struct node_conf *cluster_node(struct cluster *cluster, str name);
struct store_conf *node_store(struct node_conf *node, str name);
struct service_conf *node_service(struct node_conf *node, str name);

/* The first service of `node` that the same command refreshes, or that has the same admin socket:
   one process that listens at several places is several services. `service` itself where it is the
   first or has neither. */
const struct service_conf *node_process(const struct node_conf *node,
                                        const struct service_conf *service);

#endif
