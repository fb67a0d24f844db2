/* answer.h — how a refusal is told: to a browser on its way, by a redirect to the sign-in page;
 * to a program, by a status.
 *
 * The way back (next) is the path as it was sent, percent-encoded; a longer one is left out
 * rather than cut. Pure.
 */
#ifndef RP_EDGE_ANSWER_H
#define RP_EDGE_ANSWER_H

#include "event/gate_record.h"

enum { JUDGE_NEXT_MAX = 1024, JUDGE_LOCATION_MAX = 64 + 3 * JUDGE_NEXT_MAX };

struct judge_request {
    rp_view method, uri; /* as sent, with its query */
    rp_view accept;
};

/* The status that a reason ends with when nobody is redirected. */
unsigned judge_status(enum rp_gate_reason reason);
/* True when the one who asks is a browser that navigates and can be sent to sign in. */
bool judge_can_sign_in(const struct judge_request *request, enum rp_gate_reason reason);
/* The address of the sign-in page with the way back, in out. */
rp_view judge_sign_in_location(enum rp_gate_reason reason, rp_view uri,
                               uint8_t out[static JUDGE_LOCATION_MAX]);

#endif
