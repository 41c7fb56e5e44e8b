/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Most commands live in a handful of blocks; a larger request gets a block of its own. The first is
   small: many an arena is for one text. */
enum { FIRST_SIZE = 1000, BLOCK_SIZE = 16 * 1024 };

struct arena_block {
    struct arena_block *next, *previous;
    size_t used, size;
    alignas(max_align_t) unsigned char bytes[];
};

static void out_of_memory(void)
{
    fputs("reseal: out of memory\n", stderr);
    abort();
}

static struct arena_block *block_new(size_t size)
{
    struct arena_block *block = calloc(1, sizeof(*block) + size);
    if (block == NULL)
        out_of_memory();
    block->size = size;
    return block;
}

static size_t next_size(const struct arena_block *head, size_t need)
{
    size_t size = head == NULL ? FIRST_SIZE : head->size * 4;
    if (size > BLOCK_SIZE || (need > size && need <= BLOCK_SIZE))
        size = BLOCK_SIZE;
    return need > size ? need : size;
}

static void link_after(struct arena *arena, struct arena_block *previous, struct arena_block *block)
{
    block->previous = previous;
    block->next = previous == NULL ? arena->head : previous->next;
    if (block->next != NULL)
        block->next->previous = block;
    *(previous == NULL ? &arena->head : &previous->next) = block;
}

static void unlink_block(struct arena *arena, struct arena_block *block)
{
    if (block->next != NULL)
        block->next->previous = block->previous;
    *(block->previous == NULL ? &arena->head : &block->previous->next) = block->next;
}

static size_t need_of(size_t count, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size != 0 && count > (SIZE_MAX / 2) / size)
        out_of_memory();
    return (count * size + align - 1) / align * align;
}

void *arena_alloc(struct arena *arena, size_t count, size_t size)
{
    size_t need = need_of(count, size);
    struct arena_block *head = arena->head;
    if (head == NULL || head->size - head->used < need) {
        struct arena_block *block = block_new(next_size(head, need));
        /* A large request must not retire a head block that still has room. */
        link_after(arena, need > BLOCK_SIZE ? head : NULL, block);
        head = block;
    }
    void *memory = head->bytes + head->used;
    head->used += need;
    return memory;
}

static void block_free(const struct arena *arena, struct arena_block *block)
{
    if (arena->wipe)
        explicit_bzero(block->bytes, block->size);
    free(block);
}

/* What is larger than a usual block has one of its own. */
void arena_drop(struct arena *arena, void *memory, size_t count, size_t size)
{
    if (memory == NULL || need_of(count, size) <= BLOCK_SIZE)
        return;
    struct arena_block *block =
        (struct arena_block *)((unsigned char *)memory - offsetof(struct arena_block, bytes));
    unlink_block(arena, block);
    block_free(arena, block);
}

void arena_free(struct arena *arena)
{
    for (struct arena_block *block = arena->head, *next; block != NULL; block = next) {
        next = block->next;
        block_free(arena, block);
    }
    arena->head = NULL;
}

void arena_reset(struct arena *arena)
{
    struct arena_block *kept = arena->head;
    if (kept == NULL || kept->size > BLOCK_SIZE) {
        arena_free(arena);
        return;
    }
    struct arena rest = { .head = kept->next, .wipe = arena->wipe };
    arena_free(&rest);
    explicit_bzero(kept->bytes, kept->used);
    kept->used = 0;
    kept->next = NULL;
}

/* A hundred bytes or so to begin with, eight items at the most: many a list has one. */
static size_t first_cap(size_t size)
{
    enum { FIRST_BYTES = 128, FIRST_ITEMS = 8 };
    size_t items = FIRST_BYTES / size;
    return items == 0 ? 1 : items > FIRST_ITEMS ? FIRST_ITEMS : items;
}

void list_grow(struct arena *arena, void **items, size_t *cap, size_t size)
{
    size_t bigger = *cap == 0 ? first_cap(size) : *cap * 2;
    void *moved = arena_alloc(arena, bigger, size);
    if (*cap > 0)
        memcpy(moved, *items, *cap * size);
    *items = moved;
    *cap = bigger;
}

void list_make_room(struct arena *arena, void **items, size_t *cap, size_t size, size_t count,
                    size_t room)
{
    if (room <= *cap)
        return;
    void *moved = arena_alloc(arena, room, size);
    if (count > 0)
        memcpy(moved, *items, count * size);
    *items = moved;
    *cap = room;
}
