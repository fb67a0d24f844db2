/* What core may send to the kms: the first byte chooses the message. What is read packs back to the
 * same bytes. */
#include "fuzz.h"
#include "keys/assertion.h"
#include "keys/messages.h"

static void check(const struct rp_buf *out, rp_view message) {
    FUZZ_CHECK(rp_view_equal(rp_buf_view(out), message));
}

static void lease(rp_view message, struct rp_buf *out) {
    struct rp_lease_request request;
    if (rp_ok(rp_lease_request_unpack(message, &request))) {
        FUZZ_CHECK(rp_ok(rp_lease_request_pack(&request, out)));
        check(out, message);
    }
}

static void reports(rp_view message, struct rp_arena *arena, struct rp_buf *out) {
    struct rp_lease_report *list = rp_arena_array(arena, RP_LEASE_REPORTS_MAX, sizeof *list);
    size_t count = 0;
    FUZZ_CHECK(list != NULL);
    if (rp_ok(rp_lease_reports_unpack(message, list, &count))) {
        FUZZ_CHECK(rp_ok(rp_lease_reports_pack(list, count, out)));
        check(out, message);
    }
}

static void assertion(rp_view message, struct rp_arena *arena, struct rp_buf *out) {
    struct rp_assertion asserted;
    if (rp_ok(rp_assertion_unpack(message, arena, &asserted))) {
        FUZZ_CHECK(!rp_id_is_none(asserted.person) && !rp_id_is_none(asserted.session));
        FUZZ_CHECK(rp_ok(rp_assertion_pack(&asserted, out)));
        check(out, message);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n == 0) {
        return 0;
    }
    rp_view message = rp_view_of(data + 1, n - 1);
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct rp_buf out = rp_buf_new(1 << 20);
    switch (data[0]) {
    case 'l':
        lease(message, &out);
        break;
    case 'e':
        reports(message, arena, &out);
        break;
    case 'a':
        assertion(message, arena, &out);
        break;
    default:
        break;
    }
    rp_buf_done(&out);
    rp_arena_free(arena);
    return 0;
}
