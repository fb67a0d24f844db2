/* transform.h — SecLang's transformations: what an attacker hides, undone, before a rule looks.
 *
 * Each takes a value and gives a value, byte for byte what ModSecurity 3 gives. One that changes
 * nothing answers with the very view it was given (same p, same n), so that a caller can tell
 * without comparing; rp_transform_touches says so beforehand, from the set of bytes that a value
 * holds: most values of honest traffic pass a whole pipeline untouched.
 *
 * Pure; output in the arena. Fails: TOO_LARGE when the arena is full.
 */
#ifndef RP_SHIELD_TRANSFORM_H
#define RP_SHIELD_TRANSFORM_H

#include "base/arena.h"

enum rp_transform {
#define RP_TRANSFORM(NAME, name) RP_T_##NAME,
#include "shield/transforms.def"
#undef RP_TRANSFORM
    RP_T_COUNT
};

/* Which of the 256 bytes occur in a value. */
struct rp_byte_set {
    uint64_t bits[4];
};
struct rp_byte_set rp_byte_set_of(rp_view value);

/* unicode_map: for urlDecodeUni's %uXXXX, [65536], 0xffff = none; NULL = low byte, as ModSecurity.
 */
rp_err rp_transform_apply(enum rp_transform transform, rp_view value, const uint16_t *unicode_map,
                          struct rp_arena *arena, rp_view *ret_value);

/* False only when no value with these bytes can be changed by the transformation. */
bool rp_transform_touches(enum rp_transform transform, const struct rp_byte_set *present);

/* How long an answer can be at the most, of a value of n bytes. */
size_t rp_transform_longest(enum rp_transform transform, size_t n);

/* "urlDecodeUni" and its other spellings, without regard to case; RP_T_COUNT when there is none. */
enum rp_transform rp_transform_named(rp_view name);
const char *rp_transform_name(enum rp_transform transform);

#endif
