/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab.h - a practice cluster of real servers on loopback, broken in a chosen way.
 *
 *     DIR/lab.json       what was started: the record that status and down go by
 *     DIR/cluster.yaml   the cluster file for this lab
 *     DIR/ca/            ca.pem, ca.key (encrypted), pass: readable by whoever made the lab
 *     DIR/NODE/          a server's data, tls, log; of the run user
 *     DIR/app/           a client's; of whoever made the lab
 *     DIR/reseal/        where reseal keeps what it must remember of each node
 *
 * Names are those of the nodes, below .lab.example; nothing is needed in /etc/hosts. Nothing
 * listens outside 127.0.0.1; only processes that the lab started are ever ended. kind.h says what
 * differs from one kind of lab to the other.
 */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "base/clock.h"
#include "lab/process.h"

enum { LAB_NODES_MAX = 9 };

/* half-renewed: db1 renewed and loaded, db2 not renewed, db3 renewed on disk, never loaded. */
// clang-format off
#define LAB_STATES(X)                    \
    X(LAB_HEALTHY,      "healthy")       \
    X(LAB_EXPIRING,     "expiring")      \
    X(LAB_EXPIRED,      "expired")       \
    X(LAB_HALF_RENEWED, "half-renewed")
// clang-format on
#define LAB_ENUM(id, text) id,
enum lab_state { LAB_STATES(LAB_ENUM) LAB_STATE_COUNT };
#undef LAB_ENUM

const char *lab_state_name(enum lab_state state);
bool lab_state_parse(str name, enum lab_state *ret_state);

struct lab_kind;

struct lab_node {
    str name; /* "db1"; its certificate's is "db1.lab.example" */
    str home, data, socket, log;
    uint16_t port;       /* 0: never started */
    uint16_t other_port; /* of a kind that has two */
    struct lab_process server;
};

struct lab {
    const struct lab_kind *kind;
    str dir; /* absolute, without symbolic links */
    str id;  /* UUID: the cluster's in its cluster file */
    enum lab_state state;
    bool verify_full; /* standbys: sslmode verify-full, otherwise verify-ca */
    bool ready;       /* `up` came to its end */
    struct lab_user user;
    str sockets; /* a folder below /tmp, where DIR is too long for a socket; or empty */
    str bin;     /* the folder of its programs */
    size_t count;
    struct lab_node nodes[LAB_NODES_MAX];
};

/* Where a lab is when nobody says: $XDG_STATE_HOME/reseal/lab/NAME, for root
   /var/lib/reseal-lab/NAME. */
MUST_CHECK bool lab_default_dir(struct arena *arena, const struct lab_kind *kind, str *ret_dir,
                                struct err *err);

/* The usual place that holds a lab now, of whatever kind. ERR_REFUSED when none or several do; then
   `program` begins what is to be typed next. */
MUST_CHECK bool lab_only_dir(struct arena *arena, const char *program, str *ret_dir,
                             struct err *err);

struct lab_options {
    const struct lab_kind *kind;
    str dir;
    size_t nodes; /* 0: as many as usual */
    enum lab_state state;
    bool verify_full;
    const char *program; /* as it was called: what is to be typed next starts with it */
};

/* Make and start it. Refused where a lab is already, or a folder that is not empty. On failure
   what was started is still recorded, and err's next command is the `down` that clears it. */
MUST_CHECK bool lab_up(struct arena *arena, const struct lab_options *options, struct lab *ret_lab,
                       struct err *err);

/* End what runs and remove what `up` made (nothing else), unless `keep_files`. Works on what an
   interrupted `up` left. */
MUST_CHECK bool lab_down(struct arena *arena, str dir, bool keep_files, struct err *err);

/* One stream that the primary sees. */
struct lab_stream {
    str name, state; /* "db2", "streaming" */
    str tls;         /* "TLSv1.3"; empty: not encrypted */
    str certificate; /* serial of the client certificate in use, decimal */
};

struct lab_file {
    str path;
    str subject;
    moment not_before, not_after; /* of what is on disk; loaded may differ */
};

typedef LIST(struct lab_file) lab_file_list;

struct lab_node_status {
    bool running;  /* its process lives */
    bool answered; /* it answered when it was asked */
    str why_not;   /* when it runs and did not answer */
    str role;      /* "primary", "replica" */
    str receiver;  /* pg_stat_wal_receiver.status; empty: no walreceiver */
    LIST(struct lab_stream) streams;
    lab_file_list certificates; /* that its configuration names */
};

struct lab_status {
    struct lab lab;
    struct lab_node_status nodes[LAB_NODES_MAX];
    lab_file_list app;
};
MUST_CHECK bool lab_status(struct arena *arena, str dir, struct lab_status *ret_status,
                           struct err *err);

/* Add the certificate in file `path`. No file is none: `up` may have been interrupted. */
MUST_CHECK bool lab_add_file(struct arena *arena, str path, lab_file_list *files, struct err *err);

/* The same of the file that `settings` names now where it began with `path`; none where that cannot
   be told. */
MUST_CHECK bool lab_add_named(struct arena *arena, str settings, str path, lab_file_list *files,
                              struct err *err);

#endif
