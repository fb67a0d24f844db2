#include "os/ring.h"

#include <pthread.h>
#include <stdlib.h>

#include "unit.h"

enum { RECORDS = 8 };

static void *new_ring(uint32_t records) {
    void *memory = aligned_alloc(4096, rp_ring_bytes(records));
    assert_non_null(memory);
    rp_ring_init(memory, records);
    return memory;
}

static bool put_number(void *ring, uint64_t number) {
    uint8_t record[RP_RING_RECORD] = {0};
    for (size_t i = 0; i < sizeof record; i += sizeof number) {
        memcpy(record + i, &number, sizeof number);
    }
    return rp_ring_put(ring, record);
}

/* The number, after checking that the record is whole. */
static bool get_number(void *ring, uint64_t *ret_number) {
    uint8_t record[RP_RING_RECORD];
    uint64_t first, other;
    if (!rp_ring_get(ring, RECORDS, record)) {
        return false;
    }
    memcpy(&first, record, sizeof first);
    for (size_t i = 0; i < sizeof record; i += sizeof other) {
        memcpy(&other, record + i, sizeof other);
        assert_int_equal(first, other);
    }
    *ret_number = first;
    return true;
}

static void first_in_first_out(void **state) {
    (void)state;
    void *ring = new_ring(RECORDS);
    uint64_t number = 0;
    assert_false(get_number(ring, &number));
    for (uint64_t i = 0; i < 100; i++) {
        assert_true(put_number(ring, i));
        assert_true(put_number(ring, i + 1000));
        assert_true(get_number(ring, &number));
        assert_int_equal(number, i);
        assert_true(get_number(ring, &number));
        assert_int_equal(number, i + 1000);
    }
    assert_false(get_number(ring, &number));
    free(ring);
}

static void a_full_ring_counts(void **state) {
    (void)state;
    struct rp_ring *ring = new_ring(RECORDS);
    uint64_t number;
    for (uint64_t i = 0; i < RECORDS; i++) {
        assert_true(put_number(ring, i));
    }
    assert_false(put_number(ring, 99));
    assert_false(put_number(ring, 99));
    assert_int_equal(ring->lost, 2);
    assert_true(get_number(ring, &number));
    assert_int_equal(number, 0);
    assert_true(put_number(ring, 100));
    assert_int_equal(ring->lost, 2);
    free(ring);
}

static void a_strange_mapping_is_refused(void **state) {
    (void)state;
    struct rp_ring *ring = new_ring(RECORDS);
    size_t n = rp_ring_bytes(RECORDS);
    assert_ok(rp_ring_check(ring, n));
    assert_err(rp_ring_check(ring, n - 1), CORRUPT);
    assert_err(rp_ring_check(ring, 100), CORRUPT);
    ring->records = RECORDS * 2;
    assert_err(rp_ring_check(ring, n), CORRUPT);
    ring->records = RECORDS - 1;
    assert_err(rp_ring_check(ring, n), CORRUPT);
    ring->records = 0;
    assert_err(rp_ring_check(ring, n), CORRUPT);
    ring->records = RECORDS;
    ring->record_bytes = 1;
    assert_err(rp_ring_check(ring, n), CORRUPT);
    rp_ring_init(ring, RECORDS);
    ring->magic = 0;
    assert_err(rp_ring_check(ring, n), CORRUPT);
    free(ring);
}

/* Whatever the producer writes into the head, the consumer stays inside and comes to rest. */
static void a_lying_producer_gets_nowhere(void **state) {
    (void)state;
    struct rp_ring *ring = new_ring(RECORDS);
    static const uint64_t lies[] = {RECORDS + 1, 1u << 20, UINT64_MAX, UINT64_MAX / 2};
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++) {
        ring->written = ring->read + lies[i];
        assert_false(get_number(ring, &number));
        assert_false(get_number(ring, &number));
    }
    assert_true(put_number(ring, 7));
    assert_true(get_number(ring, &number));
    assert_int_equal(number, 7);
    /* And a consumer that lies makes the ring look full, nothing worse. */
    ring->read = ring->written + 5;
    assert_false(put_number(ring, 8));
    free(ring);
}

static void *produce(void *ring) {
    for (uint64_t i = 1; i <= 20000;) {
        i += put_number(ring, i);
    }
    return NULL;
}

static void two_threads_lose_nothing(void **state) {
    (void)state;
    void *ring = new_ring(RECORDS);
    pthread_t thread;
    uint64_t number = 0;
    assert_int_equal(pthread_create(&thread, NULL, produce, ring), 0);
    for (uint64_t expected = 1; expected <= 20000;) {
        if (get_number(ring, &number)) {
            assert_int_equal(number, expected);
            expected++;
        }
    }
    pthread_join(thread, NULL);
    free(ring);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(first_in_first_out),
        cmocka_unit_test(a_full_ring_counts),
        cmocka_unit_test(a_strange_mapping_is_refused),
        cmocka_unit_test(a_lying_producer_gets_nowhere),
        cmocka_unit_test(two_threads_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
