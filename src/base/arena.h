/* SPDX-License-Identifier: Apache-2.0 */
/* arena.h - memory that is freed together: one arena per command, request or tick. */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/auto.h"

#include <stdbool.h>
#include <stddef.h>

struct arena {
    struct arena_block *head; /* the block that new allocations come from */
    bool wipe;                /* overwrite every block before it is freed: for keys and passwords */
};

/* Zeroed memory, valid until arena_free(). Never NULL: running out of memory aborts. */
void *arena_alloc(struct arena *arena, size_t count, size_t size)
    __attribute__((returns_nonnull, warn_unused_result));
void arena_free(struct arena *arena); /* safe on {0} and on an arena already freed */

/* As arena_free(), but keeps a block for what comes next: for a loop that needs a little memory
   each time. */
void arena_reset(struct arena *arena);
DEFINE_AUTO(arena, struct arena, arena_free(handle))

/* Give back what arena_alloc() returned for this size, when it is large: small memory stays until
   the arena is freed. For who knows that nobody else has the address. */
void arena_drop(struct arena *arena, void *memory, size_t count, size_t size);

#define arena_new(arena, type) ((type *)arena_alloc((arena), 1, sizeof(type)))

/* A growable array living in an arena: `LIST(struct pin) pins;` */
#define LIST(T)            \
    struct {               \
        T *items;          \
        size_t count, cap; \
    }
#define list_push(arena, list)                                                                  \
    (*((list)->count < (list)->cap                                                              \
           ? (void)0                                                                            \
           : list_grow((arena), (void **)&(list)->items, &(list)->cap, sizeof(*(list)->items)), \
       &(list)->items[(list)->count++]))
void list_grow(struct arena *arena, void **items, size_t *cap, size_t size);

/* Room for `room` items in all, so that a long list is not copied as it grows. Room that is never
   used costs addresses and no memory. */
#define list_reserve(arena, list, room)                                                    \
    list_make_room((arena), (void **)&(list)->items, &(list)->cap, sizeof(*(list)->items), \
                   (list)->count, (room))
void list_make_room(struct arena *arena, void **items, size_t *cap, size_t size, size_t count,
                    size_t room);

#endif
