/* SPDX-License-Identifier: Apache-2.0 */
/*
 * option.h - options as rows: parsing, help, completion and manual pages come from the same table.
 *
 * A row says where its value goes in the command's own struct; a row whose C type is wrong does
 * not compile.
 */
#ifndef CMD_OPTION_H
#define CMD_OPTION_H

#include "base/err.h"
#include "base/str.h"

#include <stddef.h>

enum option_kind {
    OPTION_FLAG,     /* bool */
    OPTION_TEXT,     /* const char * */
    OPTION_NUMBER,   /* int64_t, 0 or more */
    OPTION_DURATION, /* int64_t seconds: 30d, 12h */
    OPTION_TIME,     /* int64_t moment, RFC 3339 */
    OPTION_FILE,     /* const char *, completed as a file */
    OPTION_DIR,      /* const char *, completed as a folder */
    OPTION_CHOICE    /* const char *, one of `choices` */
};

struct option {
    const char *name; /* without the dashes; NULL ends a table */
    char letter;      /* short form, or 0 */
    enum option_kind kind;
    const char *argument; /* what stands for the value in the help; NULL for a flag */
    const char *help;     /* one line, no full stop */
    const char *choices;  /* "ca|full", for OPTION_CHOICE */
    size_t offset;        /* of the value in the command's struct */
};

/* The comparison never runs; it makes a row whose C type is wrong fail to compile. */
#define OPTION_AT(struct_, type, member) \
    (offsetof(struct_, member) + 0 * sizeof((type *)0 == &((struct_ *)0)->member))

/* A word list, one argument vector: what is left when the options are taken out. */
typedef LIST(const char *) word_list;

/*
 * Take the options of the tables out of argv[0..argc). Each table writes into its own struct;
 * `tables` and `values` run in parallel. Options and words may be mixed; `--` ends the options.
 */
struct option_set {
    const struct option *const *tables;
    void *const *values;
    size_t count;
};
MUST_CHECK bool options_parse(struct arena *arena, const struct option_set *set, int argc,
                              const char *const *argv, word_list *ret_words, struct err *err);

#endif
