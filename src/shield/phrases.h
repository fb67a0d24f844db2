/* phrases.h — many phrases, one pass: @pm and @pmFromFile.
 *
 * Building writes an automaton as flat, position-independent bytes for the rule image; searching
 * reads them in place. ASCII letters match without regard to case, as ModSecurity's @pm does.
 */
#ifndef RP_SHIELD_PHRASES_H
#define RP_SHIELD_PHRASES_H

#include "base/arena.h"
#include "base/buf.h"

/* Appends the automaton, aligned to 8 within `out`. scratch is for building only. TOO_LARGE. */
rp_err rp_phrases_build(const rp_view *phrases, size_t count, struct rp_arena *scratch,
                        struct rp_buf *out);
/* True when the bytes are such an automaton, whole: searching needs no further check. */
bool rp_phrases_check(rp_view automaton);
/* The first match as ModSecurity finds it (the phrase that ends first; *ret_match is the text of
 * the value, where it stood). */
bool rp_phrases_find(rp_view automaton, rp_view value, rp_view *ret_match);

#endif
