/* attack.h — under attack: whoever is not known shows that their machine has worked a little.
 *
 * run/attack.tab says for which applications, and until when. A stranger is asked a puzzle: four
 * numbers, each so that the SHA-256 of the challenge, the number's place and the number begins with
 * 14 zero bits; a browser finds them in half a second. The cookie that it then sends is the
 * numbers and the end. The challenge follows from a salt of this table, the client's address and
 * that end, so that a worker verifies a pass from itself: there is no key that could be stolen, and
 * a pass made for another address, or for another day, fits nothing (ADR 12).
 *
 * Pure: time comes from outside. Fails: CORRUPT. Promises: S51, S52.
 */
#ifndef RP_SHIELD_ATTACK_H
#define RP_SHIELD_ATTACK_H

#include "base/err.h"

enum {
    RP_ATTACK_MAGIC = 0x4b415052, /* "RPAK" */
    RP_ATTACK_VERSION = 1,
    RP_ATTACK_SALT = 16,
    RP_ATTACK_APPS_MAX = 32,
    RP_ATTACK_NAME_MAX = 32,
    RP_ATTACK_NUMBERS = 4,
    RP_ATTACK_BITS = 14,
    RP_ATTACK_CHALLENGE = 32, /* hexadecimal digits */
    RP_ATTACK_PASS_S = 3600,  /* how long a pass is good */
    RP_ATTACK_PASS_MAX = 80   /* bytes of a pass */
};

/* An application, or all where the name is empty; until_s 0: until it is switched off. */
struct rp_attack_row {
    int64_t until_s;
    uint8_t name_n;
    uint8_t name[RP_ATTACK_NAME_MAX];
    uint8_t reserved[7];
};

struct rp_attack_table {
    uint32_t magic, version;
    uint8_t salt[RP_ATTACK_SALT];
    uint32_t count, reserved;
    struct rp_attack_row rows[RP_ATTACK_APPS_MAX + 1];
};

void rp_attack_init(struct rp_attack_table *table, const uint8_t salt[static RP_ATTACK_SALT]);
/* TOO_LARGE: no room, or a name that no application has. */
rp_err rp_attack_add(struct rp_attack_table *table, rp_view app, int64_t until_s);

/* CORRUPT unless the bytes are a table of this version. */
rp_err rp_attack_check(const void *table, size_t n);
bool rp_attack_is_on(const struct rp_attack_table *table, rp_view app, int64_t now_s);

/* What a client is asked: who is its address as limits count it. */
void rp_attack_challenge(const struct rp_attack_table *table, rp_view who, int64_t end_s,
                         char out[static RP_ATTACK_CHALLENGE]);
/* "END.N.N.N.N": whether it is this client's, has not ended, and was worked for. */
bool rp_attack_pass_is_good(const struct rp_attack_table *table, rp_view who, rp_view pass,
                            int64_t now_s);

#endif
