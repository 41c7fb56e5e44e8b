/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lab.h - a practice cluster of real PostgreSQL servers on loopback, broken in a chosen way.
 *
 *     DIR/lab.json       what was started: the record that status and down go by
 *     DIR/cluster.yaml   the cluster file for this lab
 *     DIR/ca/            ca.pem, ca.key (encrypted), pass: readable by whoever made the lab
 *     DIR/dbN/           data, run (socket), tls (server, client, ca.crt), log; of the run user
 *     DIR/app/           a client's tls and pg_service.conf; of whoever made the lab
 *     DIR/reseal/        where reseal keeps what it must remember of each node
 *
 * db1 is the primary, the others stream from it over TLS as CN=postgres and verify it under its
 * own name db1.lab.example (host + hostaddr: nothing is needed in /etc/hosts). Nothing listens
 * outside 127.0.0.1; only processes that the lab started are ever ended.
 */
#ifndef LAB_LAB_H
#define LAB_LAB_H

#include "base/clock.h"
#include "lab/process.h"

enum { LAB_NODES_MIN = 2, LAB_NODES_MAX = 9 };

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

struct lab_node {
    str name; /* "db1"; its certificate's is "db1.lab.example" */
    str home, data, socket, log;
    uint16_t port; /* 0: never started */
    struct lab_process server;
};

struct lab {
    str dir; /* absolute, without symbolic links */
    str id;  /* UUID: the cluster's in its cluster file */
    enum lab_state state;
    bool verify_full; /* standbys: sslmode verify-full, otherwise verify-ca */
    bool ready;       /* `up` came to its end */
    struct lab_user user;
    str sockets; /* a folder below /tmp, where DIR is too long for a socket; or empty */
    str bin;     /* PostgreSQL's programs */
    size_t count;
    struct lab_node nodes[LAB_NODES_MAX];
};

/* Where a lab is when nobody says: $XDG_STATE_HOME/reseal/lab/postgresql, for root
   /var/lib/reseal-lab/postgresql. */
MUST_CHECK bool lab_default_dir(struct arena *arena, str *ret_dir, struct err *err);

struct lab_options {
    str dir;
    size_t nodes;
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
    bool running;  /* the recorded process lives */
    bool answered; /* it answered over its socket */
    str why_not;   /* when it runs and did not answer */
    bool replica;
    str receiver; /* pg_stat_wal_receiver.status; empty: no walreceiver */
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

#endif
