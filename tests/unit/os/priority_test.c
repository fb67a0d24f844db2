#include "os/priority.h"

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "unit.h"

struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

struct seen {
    bool taken;
    struct attributes before, after;
};

static void ask(struct attributes *ret) {
    assert_int_equal(syscall(SYS_sched_getattr, 0, ret, sizeof *ret, 0), 0);
}

static void *give_way(void *ctx) {
    struct seen *seen = ctx;
    ask(&seen->before);
    seen->taken = rp_priority_give_way();
    ask(&seen->after);
    return NULL;
}

static bool knows_turns(void) {
    struct utsname name;
    unsigned major = 0, minor = 0;
    assert_int_equal(uname(&name), 0);
    rp_view rest = rp_view_from_cstr(name.release);
    uint64_t n = 0;
    major = rp_view_to_u64(rp_view_cut(&rest, '.'), 1000, &n) ? (unsigned)n : 0;
    minor = rp_view_to_u64(rp_view_cut(&rest, '.'), 1000, &n) ? (unsigned)n : 0;
    return major > 6 || (major == 6 && minor >= 12);
}

static void a_thread_gets_light_and_slow_to_come_back(void **state) {
    (void)state;
    struct seen seen = {0};
    struct attributes mine;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, give_way, &seen), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_true(seen.taken);
    assert_int_equal(seen.after.policy, SCHED_BATCH);
    assert_int_equal(seen.after.nice, 10);
    if (knows_turns()) {
        assert_true(seen.after.runtime >= 10 * seen.before.runtime);
    }
    ask(&mine); /* and nobody else does */
    assert_int_equal(mine.policy, seen.before.policy);
    assert_int_equal(mine.nice, seen.before.nice);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_thread_gets_light_and_slow_to_come_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
