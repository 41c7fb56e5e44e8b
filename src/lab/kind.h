/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kind.h - a kind of lab is a row: what is its own, beside what every lab has.
 *
 * lab.c makes the folder, the record, the users' and the CA's files, and ends what runs; a kind
 * says what its nodes are called, writes what its servers read, and starts them with lab_start(). A
 * new kind is a row of LAB_KINDS, a folder src/lab/NAME with `lab_NAME`, and a section of
 * docs/lab.md.
 */
#ifndef LAB_KIND_H
#define LAB_KIND_H

#include "lab/lab.h"
#include "lab/pki.h"

/* In the order of the help. */
// clang-format off
#define LAB_KINDS(X) \
    X(postgresql, "a primary and standbys that stream from it, with a client app") \
    X(etcd,       "members that replicate to each other, with a client app") \
    X(web,        "nginx behind HAProxy, which both ask for certificates, with a client app") \
    X(generic,    "slapd, and HAProxy beside it with copies of slapd's stores, with a client app")
// clang-format on

struct lab_kind {
    const char *name;
    const char *servers;  /* "PostgreSQL servers" */
    const char *run_as;   /* whom the servers become when root makes the lab */
    const char *packages; /* that bring the programs, and that user */
    unsigned states;      /* a bit for each lab_state that it can begin with */
    bool verify_ca;       /* `verify_full` may be false */
    size_t nodes_least, nodes_most, nodes_usual;
    size_t ports;               /* of each node: 1, or 2 with `other_port` */
    const char *longest_socket; /* below DIR, with the longest name; NULL: it has none */

    /* Its programs: `bin`. */
    bool (*find)(struct arena *arena, struct lab *lab, struct err *err);

    /* Name node number `index` (from 0); its folder, data and log follow from that. */
    void (*name_node)(struct arena *arena, struct lab *lab, size_t index);

    /* Everything but the record and the root's files: what the servers read, the servers
       themselves, the client's files, cluster.yaml, and the state that was asked for. `anchor` is
       the root. */
    bool (*build)(struct arena *arena, struct lab *lab, const struct lab_ca *ca, str anchor,
                  struct err *err);

    /* For lab_start(): write what the server reads, with the ports that the node has now, as if it
       had never been started, and say how it is. */
    bool (*prepare)(struct arena *arena, const struct lab *lab, size_t index,
                    struct lab_command *ret_command, struct err *err);
    bool (*ready)(struct arena *arena, const struct lab *lab, size_t index);

    /* The server of this node that runs now and is not the recorded one: started by somebody else,
       or by an `up` that was killed. */
    bool (*running)(struct arena *arena, const struct lab_node *node,
                    struct lab_process *ret_process);

    /* What the server says of itself, and the certificates that it is configured with. */
    void (*ask)(struct arena *arena, const struct lab *lab, size_t index,
                struct lab_node_status *status);
    bool (*node_files)(struct arena *arena, const struct lab *lab, size_t index,
                       lab_file_list *files, struct err *err);
    bool (*client_files)(struct arena *arena, const struct lab *lab, lab_file_list *files,
                         struct err *err);
};

#define LAB_KIND(id, text) extern const struct lab_kind lab_##id;
LAB_KINDS(LAB_KIND)
#undef LAB_KIND

extern const struct lab_kind *const lab_kinds[]; /* ended by NULL */
const struct lab_kind *lab_kind_find(str name);  /* or NULL */

#endif
