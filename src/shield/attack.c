#include "shield/attack.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/id.h"
#include "crypto/hash.h"

_Static_assert(sizeof(struct rp_attack_row) == 48, "no gaps");
_Static_assert(sizeof(struct rp_attack_table) == 32 + 48 * (RP_ATTACK_APPS_MAX + 1), "no gaps");

enum { NUMBER_MAX = 1 << 30 };

void rp_attack_init(struct rp_attack_table *table, const uint8_t salt[static RP_ATTACK_SALT]) {
    *table = (struct rp_attack_table){.magic = RP_ATTACK_MAGIC, .version = RP_ATTACK_VERSION};
    memcpy(table->salt, salt, sizeof table->salt);
}

rp_err rp_attack_add(struct rp_attack_table *table, rp_view app, int64_t until_s) {
    RP_ASSERT(until_s >= 0);
    if (table->count == RP_ATTACK_APPS_MAX + 1 || app.n > RP_ATTACK_NAME_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    struct rp_attack_row *row = &table->rows[table->count++];
    *row = (struct rp_attack_row){.until_s = until_s, .name_n = (uint8_t)app.n};
    if (app.n > 0) {
        memcpy(row->name, app.p, app.n);
    }
    return RP_OK;
}

rp_err rp_attack_check(const void *bytes, size_t n) {
    const struct rp_attack_table *table = bytes;
    bool good = table && n == sizeof *table && table->magic == RP_ATTACK_MAGIC &&
                table->version == RP_ATTACK_VERSION && table->count <= RP_ATTACK_APPS_MAX + 1 &&
                table->reserved == 0;
    for (uint32_t i = 0; good && i < table->count; i++) {
        good = table->rows[i].name_n <= RP_ATTACK_NAME_MAX && table->rows[i].until_s >= 0;
    }
    return good ? RP_OK : RP_ERR(CORRUPT);
}

bool rp_attack_is_on(const struct rp_attack_table *table, rp_view app, int64_t now_s) {
    for (uint32_t i = 0; i < table->count; i++) {
        const struct rp_attack_row *row = &table->rows[i];
        rp_view name = rp_view_of(row->name, row->name_n);
        bool meant = name.n == 0 || rp_view_equal(name, app);
        if (meant && (row->until_s == 0 || row->until_s > now_s)) {
            return true;
        }
    }
    return false;
}

void rp_attack_challenge(const struct rp_attack_table *table, rp_view who, int64_t end_s,
                         char out[static RP_ATTACK_CHALLENGE]) {
    struct rp_sha256 hash = rp_sha256_of3(rp_view_of(table->salt, sizeof table->salt),
                                          rp_view_of(&end_s, sizeof end_s), who);
    rp_hex_print(rp_view_of(hash.b, RP_ATTACK_CHALLENGE / 2), out);
}

/* "CHALLENGE.PLACE.NUMBER", as the page's script hashes it. */
static bool is_solved(const char challenge[static RP_ATTACK_CHALLENGE], unsigned place,
                      uint64_t number) {
    char text[RP_ATTACK_CHALLENGE + 32];
    int n = snprintf(text, sizeof text, "%.*s.%u.%llu", RP_ATTACK_CHALLENGE, challenge, place,
                     (unsigned long long)number);
    RP_ASSERT(n > 0 && (size_t)n < sizeof text);
    struct rp_sha256 hash = rp_sha256_of(rp_view_of(text, (size_t)n));
    unsigned first = (unsigned)hash.b[0] << 8 | hash.b[1];
    _Static_assert(RP_ATTACK_BITS <= 16, "two bytes are looked at");
    return first >> (16 - RP_ATTACK_BITS) == 0;
}

bool rp_attack_pass_is_good(const struct rp_attack_table *table, rp_view who, rp_view pass,
                            int64_t now_s) {
    uint64_t end_s = 0, number = 0;
    char challenge[RP_ATTACK_CHALLENGE];
    if (pass.n > RP_ATTACK_PASS_MAX ||
        !rp_view_to_u64(rp_view_cut(&pass, '.'), INT64_MAX / 2, &end_s)) {
        return false;
    }
    if ((int64_t)end_s <= now_s || (int64_t)end_s > now_s + RP_ATTACK_PASS_S) {
        return false;
    }
    rp_attack_challenge(table, who, (int64_t)end_s, challenge);
    for (unsigned i = 0; i < RP_ATTACK_NUMBERS; i++) {
        if (!pass.p || !rp_view_to_u64(rp_view_cut(&pass, '.'), NUMBER_MAX, &number) ||
            !is_solved(challenge, i, number)) {
            return false;
        }
    }
    return pass.p == NULL;
}
