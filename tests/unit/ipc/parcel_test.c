/* Parcels on a stream: cut anywhere, of the wrong length, of roles that do not exist. */
#include "ipc/parcel.h"

#include "unit.h"

static struct rp_buf written(const struct rp_parcel *parcel) {
    struct rp_buf bytes = rp_buf_new(RP_PARCEL_MAX);
    assert_ok(rp_parcel_write(&bytes, parcel));
    return bytes;
}

static const struct rp_parcel lease = {.channel = 0x0102030405060708,
                                       .client = RP_ROLE_CORE,
                                       .server = RP_ROLE_KMS,
                                       .head = {.number = 2, .request = 9},
                                       .payload = RP_VIEW_INIT("a wrapped key")};

static void one_is_read_as_it_was_written(void **state) {
    (void)state;
    struct rp_buf bytes = written(&lease);
    struct rp_parcel read;
    size_t used = 0;
    rp_buf_add_cstr(&bytes, "more");
    assert_ok(rp_parcel_read(rp_buf_view(&bytes), &read, &used));
    assert_int_equal(used, bytes.n - 4);
    assert_true(read.channel == lease.channel);
    assert_int_equal(read.client, RP_ROLE_CORE);
    assert_int_equal(read.server, RP_ROLE_KMS);
    assert_int_equal(read.head.number, 2);
    assert_int_equal(read.head.request, 9);
    assert_view(read.payload, "a wrapped key");
    rp_buf_done(&bytes);
}

static void every_beginning_waits_for_the_rest(void **state) {
    (void)state;
    struct rp_buf bytes = written(&lease);
    struct rp_parcel read;
    size_t used = 0;
    for (size_t n = 0; n < bytes.n; n++) {
        assert_err(rp_parcel_read(rp_view_of(bytes.p, n), &read, &used), BUSY);
    }
    rp_buf_done(&bytes);
}

static void what_can_never_be_one_is_refused_at_once(void **state) {
    (void)state;
    static const uint8_t huge[4] = {0, 2, 0, 11}, small[4] = {0, 0, 0, 25};
    struct rp_buf bytes = written(&lease);
    struct rp_parcel read;
    size_t used = 0;
    assert_err(rp_parcel_read(rp_view_of(huge, 4), &read, &used), PROTOCOL);
    assert_err(rp_parcel_read(rp_view_of(small, 4), &read, &used), PROTOCOL);
    bytes.p[12] = RP_ROLE_COUNT;
    assert_err(rp_parcel_read(rp_buf_view(&bytes), &read, &used), PROTOCOL);
    bytes.p[12] = RP_ROLE_CORE;
    bytes.p[17]++; /* the frame's own length */
    assert_err(rp_parcel_read(rp_buf_view(&bytes), &read, &used), PROTOCOL);
    rp_buf_done(&bytes);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_read_as_it_was_written),
        cmocka_unit_test(every_beginning_waits_for_the_rest),
        cmocka_unit_test(what_can_never_be_one_is_refused_at_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
