/* sweep.c — the same work, once for each n. */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"

static const char *const kinds[FAULT_KINDS] = {"no memory",   "EIO",   "ENOSPC from there on",
                                               "short write", "EINTR", "killed"};

/* What parent and child share. */
struct seen {
    unsigned told;
    bool met;
};

static int run(const struct fault_test *test, enum fault_kind kind, unsigned nth,
               struct seen *seen) {
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

void fault_sweep(const struct fault_test *test, enum fault_kind kind, unsigned step,
                 unsigned least) {
    struct seen *seen =
        mmap(NULL, sizeof *seen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(seen != MAP_FAILED);
    unsigned nth = 1, refused = 0, places = 0;
    for (step = step_of(step);; nth += step) {
        *seen = (struct seen){0};
        test->set_up(test->ctx);
        int end = run(test, kind, nth, seen);
        bool good =
            end == 0 ||
            (seen->met && (end == FAULT_REFUSED || (kind == FAULT_KILLED && end == FAULT_DIED)));
        if (!good) {
            fail_msg("%s at call %u: the work ended by %d", kinds[kind], nth, end);
        }
        refused += end != 0;
        test->check(test->ctx, seen->told);
        test->tear_down(test->ctx);
        if (!seen->met) {
            break;
        }
        places++;
    }
    print_message("# %s: %u of %u places, %u refused\n", kinds[kind], places, nth - 1, refused);
    assert_true(places >= least);
    assert_int_equal(munmap(seen, sizeof *seen), 0);
}
