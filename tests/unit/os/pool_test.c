#include "os/pool.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "unit.h"

enum { JOBS = 1000 };

struct counters {
    atomic_int done;
    atomic_int started;
    pthread_mutex_t gate; /* held by a test to keep a thread busy */
};

static void *start(void *ctx, unsigned index) {
    struct counters *counters = ctx;
    atomic_fetch_add(&counters->started, 1);
    unsigned *own = malloc(sizeof *own);
    *own = index;
    return own;
}

/* A leak here shows that a thread never stopped. */
static void stop(void *thread_state) {
    free(thread_state);
}

static void count(void *thread_state, void *ctx) {
    assert_non_null(thread_state);
    atomic_fetch_add(&((struct counters *)ctx)->done, 1);
}

static void wait_for_gate(void *thread_state, void *ctx) {
    struct counters *counters = ctx;
    (void)thread_state;
    pthread_mutex_lock(&counters->gate);
    pthread_mutex_unlock(&counters->gate);
    atomic_fetch_add(&counters->done, 1);
}

static void every_job_runs_once(void **state) {
    (void)state;
    struct counters counters = {0};
    struct rp_pool *pool;
    assert_ok(rp_pool_new(3, JOBS, start, stop, &counters, &pool));
    for (int i = 0; i < JOBS; i++) {
        assert_ok(rp_pool_submit(pool, count, &counters));
    }
    rp_pool_free(pool);
    assert_int_equal(counters.done, JOBS);
    assert_int_equal(counters.started, 3);
}

static void a_full_queue_is_an_answer(void **state) {
    (void)state;
    struct counters counters = {.gate = PTHREAD_MUTEX_INITIALIZER};
    struct rp_pool *pool;
    int taken = 0;
    assert_ok(rp_pool_new(1, 4, NULL, NULL, NULL, &pool));
    pthread_mutex_lock(&counters.gate);
    rp_err err = RP_OK;
    while (rp_ok(err) && taken < 10) {
        err = rp_pool_submit(pool, wait_for_gate, &counters);
        taken += rp_ok(err);
    }
    assert_err(err, OVERLOAD);
    /* Four wait; one more may already be in the thread's hands. */
    assert_in_range(taken, 4, 5);
    pthread_mutex_unlock(&counters.gate);
    rp_pool_free(pool);
    assert_int_equal(counters.done, taken);
}

struct keyed {
    unsigned last_thread;
    unsigned runs;
    bool moved;
    bool inside;
};

static void run_keyed(void *thread_state, void *ctx) {
    struct keyed *keyed = ctx;
    unsigned thread = *(unsigned *)thread_state;
    assert_false(keyed->inside);
    keyed->inside = true;
    keyed->moved = keyed->moved || (keyed->runs > 0 && keyed->last_thread != thread);
    keyed->last_thread = thread;
    keyed->runs++;
    keyed->inside = false;
}

static void a_key_stays_on_its_thread(void **state) {
    (void)state;
    struct counters counters = {0};
    struct keyed keyed[7] = {0};
    struct rp_pool *pool;
    assert_ok(rp_pool_new(3, JOBS, start, stop, &counters, &pool));
    for (unsigned i = 0; i < JOBS; i++) {
        assert_ok(rp_pool_submit_to(pool, i % 7, run_keyed, &keyed[i % 7]));
    }
    rp_pool_free(pool);
    unsigned runs = 0;
    for (unsigned i = 0; i < 7; i++) {
        assert_false(keyed[i].moved);
        runs += keyed[i].runs;
    }
    assert_int_equal(runs, JOBS);
}

/* One thread sleeps on a job; what comes after must not wait for it. */
static void a_busy_thread_blocks_nobody_else(void **state) {
    (void)state;
    struct counters blocked = {.gate = PTHREAD_MUTEX_INITIALIZER};
    struct counters counters = {0};
    struct rp_pool *pool;
    assert_ok(rp_pool_new(2, 100, start, stop, &counters, &pool));
    pthread_mutex_lock(&blocked.gate);
    assert_ok(rp_pool_submit(pool, wait_for_gate, &blocked));
    for (int i = 0; i < 50; i++) {
        assert_ok(rp_pool_submit(pool, count, &counters));
    }
    for (int i = 0; i < 2000 && counters.done < 50; i++) {
        usleep(1000);
    }
    assert_int_equal(counters.done, 50);
    assert_int_equal(blocked.done, 0);
    pthread_mutex_unlock(&blocked.gate);
    rp_pool_free(pool);
    assert_int_equal(blocked.done, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_job_runs_once),
        cmocka_unit_test(a_full_queue_is_an_answer),
        cmocka_unit_test(a_key_stays_on_its_thread),
        cmocka_unit_test(a_busy_thread_blocks_nobody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
