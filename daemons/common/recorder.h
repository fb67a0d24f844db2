/* recorder.h — what a role has to put on record without waiting for it, in the operator's tree.
 *
 * The loop must not wait for the ledger, which may be the very role that ended, or be out of
 * reach: a thread of its own hands each event over, in order, and tries again until it is taken.
 */
#ifndef RP_DAEMONS_RECORDER_H
#define RP_DAEMONS_RECORDER_H

#include "daemon.h"
#include "event/event.h"

struct recorder;

/* Speaks as daemon->role; daemon outlives it. */
rp_err recorder_new(const struct daemon *daemon, struct recorder **ret_recorder);
/* Gives up what could not be handed over; accepts NULL. */
void recorder_free(struct recorder *recorder);

/* A new event: the caller adds its fields and calls recorder_finish. NULL without memory: then the
 * line on stderr is all that is told. */
struct recorder_note {
    struct rp_arena *arena;
    struct rp_event *event;
};
struct recorder_note recorder_begin(const struct recorder *recorder, enum rp_event_kind kind);
void recorder_finish(struct recorder *recorder, struct recorder_note *note);

#endif
