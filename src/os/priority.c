#include "os/priority.h"

#include <sched.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { NICE = 10, TURN_NS = 100 * 1000 * 1000 }; /* the longest turn that the kernel grants */

/* As in sched_setattr(2): glibc 2.36 has no such call, and the kernel's header cannot stand beside
 * sched.h. */
struct attributes {
    uint32_t size, policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;
};

bool rp_priority_give_way(void) {
    const struct attributes attributes = {
        .size = sizeof attributes, .policy = SCHED_BATCH, .nice = NICE, .runtime = TURN_NS};
    return syscall(SYS_sched_setattr, 0, &attributes, 0) == 0;
}
