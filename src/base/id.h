/* id.h — the name of a tenant, a person, a record, a session: 16 random bytes.
 *
 * Written as 32 lower-case hexadecimal digits, always. An id says nothing: not when, not how
 * many, not whose. The zero id is "none".
 */
#ifndef RP_BASE_ID_H
#define RP_BASE_ID_H

#include "base/view.h"

enum { RP_ID_BYTES = 16, RP_ID_TEXT = 32 };

typedef struct rp_id {
    uint8_t b[RP_ID_BYTES];
} rp_id;

/* 32 digits and a NUL. */
struct rp_id_text {
    char s[RP_ID_TEXT + 1];
};

struct rp_id_text rp_id_print(rp_id id);
/* False for anything but exactly 32 lower-case hexadecimal digits. */
bool rp_id_parse(rp_view text, rp_id *ret_id);
bool rp_id_equal(rp_id a, rp_id b);
bool rp_id_is_none(rp_id id);

/* What a hexadecimal digit of either case stands for; -1 when it is none. */
static inline int rp_hex_digit(uint8_t c) {
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    uint8_t lower = rp_lower(c);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}
/* Lower-case hexadecimal of v into out, which holds 2 * v.n bytes. No NUL. */
void rp_hex_print(rp_view v, char *out);
/* Exactly 2 * n lower-case digits into out[n]. */
bool rp_hex_parse(rp_view text, uint8_t *out, size_t n);

#endif
