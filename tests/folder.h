/* SPDX-License-Identifier: Apache-2.0 */
/* folder.h - a folder below /tmp for one test, gone when the test has passed. */
#ifndef TESTS_FOLDER_H
#define TESTS_FOLDER_H

#include "base/auto.h"
#include "base/str.h"

#include <sys/types.h>

struct folder {
    struct arena arena;
    str path; /* absolute; others may look into it */
};

void folder_open(struct folder *folder);
void folder_close(struct folder *folder); /* with all that is in it */
DEFINE_AUTO(folder, struct folder, folder_close(handle))

str folder_at(struct folder *folder, const char *name); /* absolute; need not be there */

/* Write a file (folders on the way are made); its absolute path. */
str folder_put(struct folder *folder, const char *name, str bytes, mode_t mode);

/* Bytes and permissions of any file; the test fails when it is not there. */
str folder_text(struct folder *folder, str path);
mode_t folder_mode(struct folder *folder, str path);
bool folder_has(struct folder *folder, str path);

#endif
