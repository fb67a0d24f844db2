/* stack.h — the real ledger and the real key service, in the test's own folder. */
#ifndef RP_TESTS_STACK_H
#define RP_TESTS_STACK_H

#include <sys/types.h>

#include "unit.h"

struct stack {
    char *folder; /* the working directory while the stack stands */
    pid_t ledger, kms;
};

/* False, and a TAP plan that says why, without the programs that REMPART_LEDGER and REMPART_KMS
 * name; main then returns 0. */
bool stack_is_there(void);
/* Makes a folder, goes there, starts both and waits until the key service is open. */
void stack_start(struct stack *stack);
/* The same with a rempart.yaml of the test's, and without waiting: it may stay sealed. */
void stack_start_with(struct stack *stack, rp_view config);
/* Ends both and removes the folder. */
void stack_stop(struct stack *stack);
/* The key service, or the ledger, dies in the middle of its work. */
void stack_kill_kms(struct stack *stack);
void stack_kill_ledger(struct stack *stack);
/* The key service is asked to end, and ends well. */
void stack_end_kms(struct stack *stack);
/* What died is started again; for the key service without waiting until it is open. */
void stack_start_kms(struct stack *stack);
void stack_start_ledger(struct stack *stack);
void stack_wait_open(void);

#endif
