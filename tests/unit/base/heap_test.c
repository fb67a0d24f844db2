/* heap_test.c — whatever comes and goes, the first is the smallest. */
#include "unit.h"

#include "base/checked.h"
#include "base/heap.h"

enum { ENTRIES = 200 };

static struct unit_world world = {.random_state = 7};

static uint32_t chance(const struct rp_env *env, uint32_t below) {
    uint32_t number = 0;
    env->fill_random(env->ctx, (uint8_t *)&number, sizeof number);
    return number % below;
}

static int64_t smallest(const struct rp_heap_entry *entries) {
    int64_t least = INT64_MAX;
    for (size_t i = 0; i < ENTRIES; i++) {
        if (entries[i].place != SIZE_MAX) {
            least = RP_MIN(least, entries[i].key);
        }
    }
    return least;
}

static void the_first_is_always_the_smallest(void **state) {
    (void)state;
    struct rp_env env = unit_env(&world);
    struct rp_heap heap = {0};
    struct rp_heap_entry entries[ENTRIES];
    for (size_t i = 0; i < ENTRIES; i++) {
        entries[i] = (struct rp_heap_entry){.place = SIZE_MAX};
    }
    for (unsigned turn = 0; turn < 5000; turn++) {
        struct rp_heap_entry *one = &entries[chance(&env, ENTRIES)];
        if (one->place != SIZE_MAX) {
            rp_heap_remove(&heap, one);
        } else {
            one->key = chance(&env, 50); /* with many that are equal */
            assert_ok(rp_heap_add(&heap, one, 1024));
        }
        const struct rp_heap_entry *first = rp_heap_first(&heap);
        assert_true(first ? first->key == smallest(entries) : heap.count == 0);
    }
    while (rp_heap_first(&heap)) {
        int64_t key = rp_heap_first(&heap)->key;
        rp_heap_remove(&heap, rp_heap_first(&heap));
        assert_true(smallest(entries) >= key);
    }
    rp_heap_done(&heap);
}

static void one_too_many_is_refused(void **state) {
    (void)state;
    struct rp_heap heap = {0};
    struct rp_heap_entry entries[17] = {{0}};
    for (size_t i = 0; i < 16; i++) {
        assert_ok(rp_heap_add(&heap, &entries[i], 16));
    }
    assert_err(rp_heap_add(&heap, &entries[16], 16), BUSY);
    assert_int_equal(heap.count, 16);
    rp_heap_remove(&heap, &entries[3]);
    assert_ok(rp_heap_add(&heap, &entries[16], 16));
    rp_heap_done(&heap);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_is_always_the_smallest),
        cmocka_unit_test(one_too_many_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
