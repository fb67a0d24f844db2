/* sweep.c — the same work, once for each n. */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"

/* least: so many places there are at the fewest, or the fault was not met at all. */
static const struct {
    const char *name;
    unsigned least;
} kinds[FAULT_KINDS] = {
    [FAULT_NO_MEMORY] = {"no memory", 100},      [FAULT_BROKEN] = {"EIO", 50},
    [FAULT_FULL] = {"ENOSPC from there on", 20}, [FAULT_SHORT] = {"short write", 10},
    [FAULT_INTERRUPTED] = {"EINTR", 50},         [FAULT_KILLED] = {"killed", 50},
};

static const struct fault_test *test; /* of this program */
static unsigned memory_step = 1;

/* What parent and child share. */
struct seen {
    unsigned told;
    bool met;
};

static int run(enum fault_kind kind, unsigned nth, struct seen *seen) {
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        fault_arm(kind, nth, &seen->met);
        rp_err err = test->work(test->ctx, &seen->told);
        _exit(rp_ok(err) ? 0 : FAULT_REFUSED);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static unsigned step_of(unsigned usual) {
    const char *text = getenv("REMPART_FAULT_STEP");
    uint64_t step = usual;
    return text && rp_view_to_u64(rp_view_from_cstr(text), usual, &step) && step > 0
               ? (unsigned)step
               : usual;
}

static void sweep(enum fault_kind kind, unsigned step) {
    struct seen *seen =
        mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(seen != MAP_FAILED);
    unsigned nth = 1, refused = 0, places = 0;
    for (step = step_of(step);; nth += step) {
        *seen = (struct seen){0};
        test->set_up(test->ctx);
        int end = run(kind, nth, seen);
        bool good =
            end == 0 ||
            (seen->met && (end == FAULT_REFUSED || (kind == FAULT_KILLED && end == FAULT_DIED)));
        if (!good) {
            fail_msg("%s at call %u: the work ended by %d", kinds[kind].name, nth, end);
        }
        refused += end != 0;
        test->check(test->ctx, seen->told);
        test->tear_down(test->ctx);
        if (!seen->met) {
            break;
        }
        places++;
    }
    print_message("# %s: %u of %u places, %u refused\n", kinds[kind].name, places, nth - 1,
                  refused);
    assert_true(places >= kinds[kind].least);
    assert_int_equal(munmap(seen, sizeof *seen), 0);
}

static void any_allocation_gives_nothing(void **state) {
    (void)state;
    sweep(FAULT_NO_MEMORY, memory_step);
}

static void any_call_fails_once(void **state) {
    (void)state;
    sweep(FAULT_BROKEN, 1);
}

static void the_disk_is_full_from_any_call_on(void **state) {
    (void)state;
    sweep(FAULT_FULL, 1);
}

static void any_write_is_short(void **state) {
    (void)state;
    sweep(FAULT_SHORT, 1);
}

static void any_call_is_interrupted(void **state) {
    (void)state;
    sweep(FAULT_INTERRUPTED, 1);
}

/*= S114 type=test */
static void any_call_is_the_last(void **state) {
    (void)state;
    sweep(FAULT_KILLED, 1);
}

int fault_main(const struct fault_test *of_this_program, unsigned step) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_gives_nothing),      cmocka_unit_test(any_call_fails_once),
        cmocka_unit_test(the_disk_is_full_from_any_call_on), cmocka_unit_test(any_write_is_short),
        cmocka_unit_test(any_call_is_interrupted),           cmocka_unit_test(any_call_is_the_last),
    };
    test = of_this_program;
    memory_step = step;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
