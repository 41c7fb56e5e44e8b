/* SPDX-License-Identifier: Apache-2.0 */
/* auto.h - handles that release themselves on every way out of a scope. */
#ifndef BASE_AUTO_H
#define BASE_AUTO_H

#include <dirent.h>
#include <stdio.h>
#include <unistd.h>

/* `AUTO(X509) X509 *cert = NULL;` - initialise at once. */
#define AUTO(name) __attribute__((cleanup(auto_##name)))
#define DEFINE_AUTO(name, type, release)         \
    static inline void auto_##name(type *handle) \
    {                                            \
        release;                                 \
    }

/* Hand a handle over: the variable no longer owns it. `return TAKE(cert);` */
#define TAKE(handle)                          \
    (__extension__({                          \
        __typeof__(handle) taken_ = (handle); \
        (handle) = 0;                         \
        taken_;                               \
    }))

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A file descriptor; -1 when there is none. */
DEFINE_AUTO(fd, int, if (*handle >= 0) close(*handle))
DEFINE_AUTO(dir, DIR *, if (*handle != NULL) closedir(*handle))
DEFINE_AUTO(file, FILE *, if (*handle != NULL) fclose(*handle))

#endif
