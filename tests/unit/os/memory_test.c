#include "unit.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "os/memory.h"

/* What is left may grow by libraries that nobody shares any more; what must go back is 16 MiB. */
enum { BLOCK = 512 * 1024, BLOCKS = 32, LARGEST = 8 * 1024 * 1024, LEFT_KIB_MAX = 4096 };

static void fill(void *block, size_t n) {
    assert_non_null(block);
    memset(block, 1, n);
}

/* As a probe or a long body does: much at once, and a little that lives longer than it. */
static void *take_and_free(void *ret_small) {
    void *blocks[BLOCKS], *largest = malloc(LARGEST);
    fill(largest, LARGEST);
    free(largest);
    for (size_t i = 0; i < BLOCKS; i++) {
        blocks[i] = malloc(BLOCK);
        fill(blocks[i], BLOCK);
    }
    *(void **)ret_small = malloc(64);
    for (size_t i = 0; i < BLOCKS; i++) {
        free(blocks[i]);
    }
    return NULL;
}

static void what_a_thread_took_goes_back(void **state) {
    (void)state;
#ifdef __SANITIZE_ADDRESS__
    skip(); /* it brings its own malloc, which gives nothing back for a while */
#endif
    uint64_t before_kib, after_kib;
    void *small = NULL;
    pthread_t thread;
    rp_memory_give_back();
    assert_ok(rp_process_memory(getpid(), &before_kib));
    assert_int_equal(pthread_create(&thread, NULL, take_and_free, &small), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_ok(rp_process_memory(getpid(), &after_kib));
    free(small);
    assert_in_range(after_kib, 1, before_kib + LEFT_KIB_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_thread_took_goes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
