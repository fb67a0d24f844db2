#include "os/loop.h"

#include <pthread.h>
#include <unistd.h>

#include "unit.h"

struct stage {
    struct rp_loop *loop;
    struct rp_watch *watch;
    struct rp_timer *timer;
    int pipe[2];
    int count;
    unsigned events;
    char order[64];
};

static int set_up(void **state) {
    struct stage *stage = test_calloc(1, sizeof *stage);
    struct rp_env env = rp_env_real();
    assert_ok(rp_loop_new(&env, &stage->loop));
    assert_int_equal(pipe(stage->pipe), 0);
    *state = stage;
    return 0;
}

static int tear_down(void **state) {
    struct stage *stage = *state;
    rp_loop_free(stage->loop);
    close(stage->pipe[0]);
    if (stage->pipe[1] >= 0) {
        close(stage->pipe[1]);
    }
    test_free(stage);
    return 0;
}

static void read_and_stop(void *ctx, unsigned events) {
    struct stage *stage = ctx;
    char byte;
    stage->events = events;
    if (events & RP_READY_READ) {
        assert_int_equal(read(stage->pipe[0], &byte, 1), 1);
    }
    stage->count++;
    /* Inside its own callback. */
    rp_watch_free(stage->watch);
    rp_loop_stop(stage->loop);
}

static void a_descriptor_wakes_its_callback(void **state) {
    struct stage *stage = *state;
    assert_ok(rp_loop_watch(stage->loop, stage->pipe[0], RP_READY_READ, read_and_stop, stage,
                            &stage->watch));
    assert_int_equal(write(stage->pipe[1], "xy", 2), 2);
    assert_ok(rp_loop_run(stage->loop));
    assert_int_equal(stage->count, 1);
    assert_int_equal(stage->events, RP_READY_READ);
}

static void a_hangup_is_told_even_when_nothing_is_watched(void **state) {
    struct stage *stage = *state;
    assert_ok(rp_loop_watch(stage->loop, stage->pipe[0], 0, read_and_stop, stage, &stage->watch));
    assert_ok(rp_watch_events(stage->watch, RP_READY_READ));
    close(stage->pipe[1]);
    stage->pipe[1] = -1;
    assert_ok(rp_loop_run(stage->loop));
    assert_int_equal(stage->events, RP_READY_HANGUP);
}

static void free_the_other(void *ctx, unsigned events) {
    struct stage *stage = ctx;
    (void)events;
    stage->count++;
    rp_watch_free(stage->watch);
    stage->watch = NULL;
    rp_loop_stop(stage->loop);
}

static void must_not_run(void *ctx, unsigned events) {
    (void)ctx;
    (void)events;
    fail();
}

/* Both are ready in one batch; the first frees the second, whose event must then be dropped. */
static void a_watch_freed_in_the_same_turn_stays_silent(void **state) {
    struct stage *stage = *state;
    int other[2];
    struct rp_watch *first;
    assert_int_equal(pipe(other), 0);
    assert_int_equal(write(stage->pipe[1], "x", 1), 1);
    assert_int_equal(write(other[1], "x", 1), 1);
    assert_ok(rp_loop_watch(stage->loop, other[0], RP_READY_READ, free_the_other, stage, &first));
    assert_ok(rp_loop_watch(stage->loop, stage->pipe[0], RP_READY_READ, must_not_run, stage,
                            &stage->watch));
    assert_ok(rp_loop_run(stage->loop));
    assert_int_equal(stage->count, 1);
    rp_watch_free(first);
    close(other[0]);
    close(other[1]);
}

struct note {
    struct stage *stage;
    char letter;
};

static void write_letter(void *ctx) {
    struct note *note = ctx;
    size_t n = strlen(note->stage->order);
    assert_true(n + 1 < sizeof note->stage->order);
    note->stage->order[n] = note->letter;
}

static void stop(void *ctx) {
    rp_loop_stop(((struct stage *)ctx)->loop);
}

static void timers_fire_in_order(void **state) {
    struct stage *stage = *state;
    struct note notes[] = {{stage, 'd'}, {stage, 'a'}, {stage, 'c'}, {stage, 'b'}, {stage, 'x'}};
    static const int64_t after_ms[] = {16, 0, 12, 4, 8};
    struct rp_timer *timers[5];
    for (size_t i = 0; i < 5; i++) {
        assert_ok(rp_loop_timer(stage->loop, after_ms[i], 0, write_letter, &notes[i], &timers[i]));
    }
    rp_timer_free(timers[4]);
    assert_ok(rp_loop_timer(stage->loop, 30, 0, stop, stage, NULL));
    assert_ok(rp_loop_run(stage->loop));
    assert_string_equal(stage->order, "abcd");
    for (size_t i = 0; i < 4; i++) {
        rp_timer_free(timers[i]);
    }
}

static void tick(void *ctx) {
    struct stage *stage = ctx;
    if (++stage->count == 3) {
        rp_timer_free(stage->timer);
        rp_loop_stop(stage->loop);
    }
}

static void a_period_goes_on_until_freed(void **state) {
    struct stage *stage = *state;
    assert_ok(rp_loop_timer(stage->loop, 1, 2, tick, stage, &stage->timer));
    assert_ok(rp_loop_run(stage->loop));
    assert_int_equal(stage->count, 3);
}

static void many_timers_keep_their_heap(void **state) {
    struct stage *stage = *state;
    struct rp_timer *timers[500];
    for (size_t i = 0; i < 500; i++) {
        assert_ok(rp_loop_timer(stage->loop, (int64_t)(i * 7919 % 500) + 60000, 0, stop, stage,
                                &timers[i]));
    }
    for (size_t i = 0; i < 500; i++) {
        rp_timer_free(timers[i * 263 % 500]);
    }
    assert_ok(rp_loop_timer(stage->loop, 1, 0, stop, stage, NULL));
    assert_ok(rp_loop_run(stage->loop));
}

static void got_signal(void *ctx, int number) {
    struct stage *stage = ctx;
    stage->count = number;
    rp_loop_stop(stage->loop);
}

static void a_signal_becomes_a_callback(void **state) {
    struct stage *stage = *state;
    assert_ok(rp_loop_signal(stage->loop, SIGUSR1, got_signal, stage));
    assert_ok(rp_loop_signal(stage->loop, SIGUSR2, got_signal, stage));
    assert_int_equal(kill(getpid(), SIGUSR2), 0);
    assert_ok(rp_loop_run(stage->loop));
    assert_int_equal(stage->count, SIGUSR2);
}

static void count_post(void *ctx) {
    struct stage *stage = ctx;
    if (++stage->count == 2000) {
        rp_loop_stop(stage->loop);
    }
}

static void *post_from_afar(void *ctx) {
    struct stage *stage = ctx;
    for (int i = 0; i < 1000; i++) {
        assert_ok(rp_loop_post(stage->loop, count_post, stage));
    }
    return NULL;
}

static void posts_come_from_other_threads(void **state) {
    struct stage *stage = *state;
    pthread_t threads[2];
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, post_from_afar, stage), 0);
    }
    assert_ok(rp_loop_run(stage->loop));
    assert_int_equal(stage->count, 2000);
    for (size_t i = 0; i < 2; i++) {
        pthread_join(threads[i], NULL);
    }
}

static void too_many_posts_are_refused(void **state) {
    struct stage *stage = *state;
    for (int i = 0; i < 65536; i++) {
        assert_ok(rp_loop_post(stage->loop, count_post, stage));
    }
    assert_err(rp_loop_post(stage->loop, count_post, stage), BUSY);
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_STAGE(a_descriptor_wakes_its_callback),
        ON_STAGE(a_hangup_is_told_even_when_nothing_is_watched),
        ON_STAGE(a_watch_freed_in_the_same_turn_stays_silent),
        ON_STAGE(timers_fire_in_order),
        ON_STAGE(a_period_goes_on_until_freed),
        ON_STAGE(many_timers_keep_their_heap),
        ON_STAGE(a_signal_becomes_a_callback),
        ON_STAGE(posts_come_from_other_threads),
        ON_STAGE(too_many_posts_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
