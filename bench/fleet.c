/* SPDX-License-Identifier: Apache-2.0 */
#include "bench/fleet.h"

#include "base/io.h"
#include "tests/pki.h"
#include "tests/test.h"

#include <stdlib.h>

const char *fleet_path(struct arena *arena, const char *folder, const char *name)
{
    return str_printf(arena, "%s/%s", folder, name).ptr;
}

static FILE *create(const char *folder, const char *name)
{
    AUTO(arena) struct arena arena = { 0 };
    FILE *file = fopen(fleet_path(&arena, folder, name), "w");
    if (file == NULL) {
        perror(name);
        exit(1);
    }
    return file;
}

static void write_pem(const char *folder, const char *name, str pem)
{
    AUTO(file) FILE *file = create(folder, name);
    fwrite(pem.ptr, 1, pem.len, file);
}

static void write_nodes(FILE *out, size_t services)
{
    fputs("nodes:\n", out);
    for (size_t first = 0; first < services; first += FLEET_NODE) {
        fprintf(out, "  n%zu:\n    stores:\n      trust: {certificates: n%zu/ca.pem}\n",
                first / FLEET_NODE, first / FLEET_NODE);
        for (size_t i = first; i < services && i < first + FLEET_NODE; i++)
            fprintf(out, "      id%zu: {certificate: n%zu/%zu.crt, key: n%zu/%zu.key}\n", i,
                    first / FLEET_NODE, i, first / FLEET_NODE, i);
        fputs("    services:\n", out);
        for (size_t i = first; i < services && i < first + FLEET_NODE; i++)
            fprintf(out,
                    "      s%zu: {listen: \"127.0.0.1:%zu\", protocol: tls, identities: [{store: "
                    "id%zu}], trust: [trust], client_auth: required, reference: n%zu/%zu.conf}\n",
                    i, 1024 + i % 60000, i, first / FLEET_NODE, i);
    }
}

/* Every service connects to LINKS / SERVICES others, the same number to each. */
static void write_links(FILE *out, size_t services, size_t links)
{
    fputs("links:\n", out);
    for (size_t k = 0; k < links; k++) {
        size_t from = k % services, to = (from + 1 + k / services * 7919) % services;
        fprintf(out, "  - {from: n%zu/s%zu, to: n%zu/s%zu, name: s%zu.example, identity: id%zu}\n",
                from / FLEET_NODE, from, to / FLEET_NODE, to, to, from);
    }
}

static void write_cluster(const char *folder, size_t services, size_t links)
{
    AUTO(file) FILE *out = create(folder, "cluster.yaml");
    fputs("cluster: bench\nissuer: {certificate: middle.pem, key: middle.key}\n", out);
    write_nodes(out, services);
    write_links(out, services, links);
}

static void write_leaf(FILE *out, const struct pki *middle, const struct pki *key, size_t number)
{
    AUTO(arena) struct arena arena = { 0 };
    const char *name = str_printf(&arena, "s%zu", number).ptr;
    struct pki leaf = pki_make(
        &arena, &(struct pki_spec){ .name = name,
                                    .issuer = middle,
                                    .key_of = key,
                                    .san = str_printf(&arena, "DNS:s%zu.example", number).ptr,
                                    .extended_key_usage = "serverAuth,clientAuth",
                                    .not_after = PKI_NOW + 10 * PKI_DAY });
    uint32_t len = (uint32_t)leaf.cert.der.len;
    fwrite(&len, sizeof(len), 1, out);
    fwrite(leaf.cert.der.ptr, 1, len, out);
}

static struct pki make_ca(struct arena *arena, const char *folder, const char *name,
                          const struct pki *issuer)
{
    AUTO(arena) struct arena scratch = { 0 };
    struct pki ca =
        pki_make(arena, &(struct pki_spec){ .name = name, .ca = true, .issuer = issuer });
    write_pem(folder, str_printf(&scratch, "%s.pem", name).ptr, ca.pem);
    return ca;
}

void fleet_make(const char *folder, size_t services, size_t links)
{
    AUTO(arena) struct arena arena = { 0 };
    struct pki root = make_ca(&arena, folder, "root", NULL);
    struct pki middle = make_ca(&arena, folder, "middle", &root);
    (void)make_ca(&arena, folder, "second", NULL);
    /* One key for all: making keys is not what is measured, and no signature is spared by it. */
    struct pki key = pki_make(&arena, &(struct pki_spec){ .name = "key", .issuer = &middle });
    AUTO(file) FILE *leaves = create(folder, "leaves.der");
    for (size_t i = 0; i < services; i++)
        write_leaf(leaves, &middle, &key, i);
    write_pem(folder, "leaf0.pem", key.pem);
    write_cluster(folder, services, links);
}

/* tests/pki.c fails a test where it cannot go on; there is none here. */
void test_register(const char *name, CMUnitTestFunction run)
{
    (void)name, (void)run;
}
