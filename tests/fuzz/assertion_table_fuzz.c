/* Whatever stands in the shared table, what is given out lies inside the caller's buffer and is
 * fresh; what core writes afterwards is found. Input: the slots of one set as they lie, each with
 * the key of (session, app) put in when its first byte is odd. */
#include <stdlib.h>
#include <string.h>

#include "crypto/hash.h"
#include "fuzz.h"
#include "identity/assertion_table.h"

enum { PAGE = 4096, WAYS = 4, SLOT = 1024, NOW_MS = 1800000000, KEY_AT = 24 };

static const rp_id session = {{7}};
static uint8_t *table;

static void check_inside(rp_view text, const uint8_t *out) {
    FUZZ_CHECK(text.n == 0 || (text.p >= out && text.p + text.n <= out + RP_ASSERTION_BYTES));
}

static void check_get(void) {
    uint8_t out[RP_ASSERTION_BYTES];
    struct rp_assertion_entry entry;
    if (rp_ok(rp_assertion_table_get(table, session, RP_VIEW("notes"), NOW_MS, out, &entry))) {
        check_inside(entry.jwt, out);
        check_inside(entry.email, out);
        check_inside(entry.roles, out);
        FUZZ_CHECK(entry.jwt.n > 0);
        FUZZ_CHECK(entry.minted_ms <= NOW_MS + RP_ASSERTION_AHEAD_MS &&
                   NOW_MS - entry.minted_ms < RP_ASSERTION_FRESH_MS);
    }
}

static void check_put(void) {
    uint8_t out[RP_ASSERTION_BYTES];
    struct rp_assertion_entry entry = {.jwt = RP_VIEW("a.b.c"), .minted_ms = NOW_MS}, got;
    FUZZ_CHECK(rp_ok(rp_assertion_table_put(table, session, RP_VIEW("notes"), &entry)));
    FUZZ_CHECK(rp_ok(rp_assertion_table_get(table, session, RP_VIEW("notes"), NOW_MS, out, &got)));
    check_inside(got.jwt, out);
}

/* The table is made once: an input touches only the set of its key. */
static uint8_t *fresh_set(const struct rp_sha256 *key) {
    uint32_t word;
    if (table == NULL) {
        table = aligned_alloc(64, rp_assertion_table_bytes());
        FUZZ_CHECK(table != NULL);
        memset(table, 0, rp_assertion_table_bytes());
        rp_assertion_table_init(table);
    }
    memcpy(&word, key->b, sizeof word);
    uint8_t *set = table + PAGE + (size_t)(word % (RP_ASSERTION_SLOTS / WAYS)) * WAYS * SLOT;
    memset(set, 0, WAYS * SLOT);
    return set;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_sha256 key = rp_sha256_of2(rp_view_of(session.b, sizeof session.b), RP_VIEW("notes"));
    uint8_t *set = fresh_set(&key);
    if (n > 0) {
        memcpy(set, data, n < WAYS * SLOT ? n : WAYS * SLOT);
    }
    for (size_t way = 0; way < WAYS; way++) {
        if (way * SLOT < n && (data[way * SLOT] & 1)) {
            set[way * SLOT] &= 0xfe; /* else the slot counts as being written */
            memcpy(set + way * SLOT + KEY_AT, key.b, sizeof key.b);
        }
    }
    check_get();
    check_put();
    return 0;
}
