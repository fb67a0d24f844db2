/* priority.h — a thread that works for long gives way to whoever has just been woken.
 *
 * A lower weight alone is not enough. The kernel lets a thread that runs finish its turn, however
 * light it is, and looks again at the next tick: four milliseconds, for each time that a loop on
 * the same core is woken. A thread that asks for a long turn is interrupted by all that ask for a
 * shorter one, so that the loop runs at once. Kernels before 6.12 take the weight alone; there a
 * woken thread interrupts a lighter one anyway.
 */
#ifndef RP_OS_PRIORITY_H
#define RP_OS_PRIORITY_H

#include <stdbool.h>

/* Of the thread that calls it; false when the kernel refuses, and nothing has changed. */
bool rp_priority_give_way(void);

#endif
