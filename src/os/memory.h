/* memory.h — how much memory a process really takes, as the kernel counts it, and that it gives
 * back what it needs no more. */
#ifndef RP_OS_MEMORY_H
#define RP_OS_MEMORY_H

#include <sys/types.h>

#include "base/err.h"

/* Proportional set size of a process, in KiB, and of those it started, and they; without the right
 * to ask it is DENIED, for one that has ended NOT_FOUND. */
rp_err rp_process_memory(pid_t pid, uint64_t *ret_kib);

/* Once, before the first thread: one heap for all threads, and what is large is mapped apart and
 * goes back to the kernel when it is freed. */
void rp_memory_give_back(void);

#endif
