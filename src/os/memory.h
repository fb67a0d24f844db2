/* memory.h — how much memory a process really takes, as the kernel counts it. */
#ifndef RP_OS_MEMORY_H
#define RP_OS_MEMORY_H

#include <sys/types.h>

#include "base/err.h"

/* Proportional set size of a process, in KiB, and of those it started, and they; without the right
 * to ask it is DENIED, for one that has ended NOT_FOUND. */
rp_err rp_process_memory(pid_t pid, uint64_t *ret_kib);

#endif
