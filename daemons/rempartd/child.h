/* child.h — what the two halves of a role's life share: children.c begins it, ends.c ends it. */
#ifndef RP_DAEMONS_CHILD_H
#define RP_DAEMONS_CHILD_H

#include "supervisor.h"

enum {
    CHILD_PAUSE_MIN_MS = 100,
    CHILD_PAUSE_MAX_MS = 10000,
    CHILD_EXIT_CONFIG = 2 /* daemon_exit_code: starting again would not help */
};

int64_t child_now_ms(const struct supervisor *supervisor); /* monotonic */
/* The state, and since when; both are in run/status.json when this returns. */
void child_set_state(struct child *child, enum child_state state);
/* In place of the one that stood: a child waits for one thing at a time. */
void child_set_timer(struct child *child, int64_t after_ms, void (*fire)(void *ctx));
void child_clear_timer(struct child *child);
/* Nothing more is heard from it. */
void child_close_ready(struct child *child);
/* ctx: a struct child that has no process; a timer's callback, too. */
void child_start(void *ctx);

#endif
