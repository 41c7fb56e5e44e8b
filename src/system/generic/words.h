/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.h - a configuration file that names an identity's files as whole words: nginx.conf,
 * haproxy.cfg, a .curlrc, a YAML or LDIF file.
 *
 * A word is a path, absolute or relative to the folder of the file that names it, with a blank, a
 * quote or punctuation at either side. What follows a `#` that begins a word is a comment. Nothing
 * else is known of the file, and every other byte of it stays.
 */
#ifndef SYSTEM_GENERIC_WORDS_H
#define SYSTEM_GENERIC_WORDS_H

#include "base/err.h"
#include "base/str.h"

/* Which file the text names where `path` is one of the generations (node/generation.h): absolute,
   or the empty string when it names none of them. ERR_FORMAT when it names several. */
MUST_CHECK bool words_find(struct arena *arena, str file, str text, str path, str *ret_path,
                           struct err *err);

/* The text in which every word that names the file `from` names `to`. */
str words_edit(struct arena *arena, str file, str text, str from, str to);

#endif
