/* A stored row is whatever somebody put there: bytes that this key did not seal for this place
 * never open. And any document that is accepted opens as its own canonical form. */
#include <string.h>

#include "base/env.h"
#include "fuzz.h"
#include "spaces/internal.h"

static void fill(void *ctx, uint8_t *out, size_t n) {
    (void)ctx;
    memset(out, 0x5a, n);
}

static struct rp_secret *new_key(void) {
    uint8_t bytes[32];
    struct rp_secret *key = NULL;
    memset(bytes, 0x17, sizeof bytes);
    FUZZ_CHECK(rp_ok(rp_crypto_start()));
    FUZZ_CHECK(rp_ok(rp_secret_new_take(bytes, sizeof bytes, &key)));
    return key;
}

static void round_trip(const struct rp_secret *key, const struct rp_record_place *place,
                       rp_view document, struct rp_arena *arena) {
    const struct rp_env env = {.fill_random = fill};
    struct rp_buf sealed = rp_buf_new(2 * RP_RECORD_MAX);
    rp_view opened, again;
    FUZZ_CHECK(rp_ok(rp_record_seal(&env, key, place, document, &sealed)));
    FUZZ_CHECK(rp_ok(rp_record_open(key, place, rp_buf_view(&sealed), arena, &opened)));
    FUZZ_CHECK(rp_view_equal(opened, document));
    FUZZ_CHECK(rp_ok(rp_record_canonical(opened, arena, &again, NULL)));
    FUZZ_CHECK(rp_view_equal(again, document));
    struct rp_record_place others[5] = {*place, *place, *place, *place, *place};
    others[0].version++;
    others[1].changed_ms++;
    others[2].trashed_ms = 1;
    others[3].label = RP_LABEL_PUBLIC;
    others[4].label = RP_LABEL_NONE;
    for (size_t i = 0; i < 5; i++) {
        FUZZ_CHECK(rp_is(rp_record_open(key, &others[i], rp_buf_view(&sealed), arena, &opened),
                         RP_E_CORRUPT));
    }
    rp_buf_done(&sealed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    struct rp_arena *arena = rp_arena_new(64 << 20);
    struct rp_secret *key = new_key();
    const struct rp_record_place place = {.tenant = {{1}},
                                          .app = RP_VIEW("notes"),
                                          .collection = RP_VIEW("a"),
                                          .version = 1,
                                          .changed_ms = 1800000000000,
                                          .label = RP_LABEL_INTERNAL};
    rp_view input = rp_view_of(data, n), document;
    rp_err err = rp_record_open(key, &place, input, arena, &document);
    FUZZ_CHECK(rp_is(err, RP_E_CORRUPT));
    if (rp_ok(rp_record_canonical(input, arena, &document, NULL))) {
        round_trip(key, &place, document, arena);
    }
    (void)rp_collection_is_good(input);
    rp_secret_free(key);
    rp_arena_free(arena);
    return 0;
}
