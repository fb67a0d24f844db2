/* hook.h — an event as a webhook: the JSON that an operator's program gets, and its signature.
 *
 * The form is that of the Standard Webhooks specification, so that receivers find a library for it:
 * headers webhook-id (the same at each try), webhook-timestamp (of this try, in seconds) and
 * webhook-signature, "v1," and the base64 HMAC-SHA256 of "id.timestamp.body". A receiver that
 * refuses old timestamps and remembers ids takes each event once.
 *
 * Pure. Fails: TOO_LARGE; INVALID (a secret that is none); SYNTAX, CORRUPT (no event).
 */
#ifndef RP_NOTIFY_HOOK_H
#define RP_NOTIFY_HOOK_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/id.h"
#include "crypto/secret.h"
#include "wire/json.h"

enum { RP_HOOK_BODY_MAX = 20 * 1024, RP_HOOK_SIGNATURE = 3 + 44 };

/* "certificate.*" wants what begins so, "*" everything, else the name itself. */
bool rp_hook_wants(rp_view pattern, rp_view type);
/* An entry of the log, and the event that it holds. */
struct rp_hook_event {
    struct rp_json *entry;
    rp_view type; /* "register.due" */
    int64_t time_ms;
};
rp_err rp_hook_read(rp_view entry, struct rp_arena *arena, struct rp_hook_event *ret_event);
/* {"data":the entry,"index":its place,"timestamp":…,"tree":"operator","type":…}, canonical: the
 * same bytes at each try. */
rp_err rp_hook_print(const struct rp_hook_event *event, uint64_t index, struct rp_arena *arena,
                     struct rp_buf *out);
/* {"data":{},"timestamp":…,"type":"test"} */
rp_err rp_hook_print_test(int64_t now_ms, struct rp_arena *arena, struct rp_buf *out);
/* The call's id: of this entry for this webhook, always the same one. */
rp_id rp_hook_id(rp_view name, uint64_t index, rp_view body);

/* "whsec_" and 24 to 64 bytes in base64, as the specification has it. */
rp_err rp_hook_secret_parse(rp_view text, struct rp_secret **ret_secret);
/* "v1,…" */
rp_err rp_hook_sign(const struct rp_secret *secret, rp_id id, int64_t now_s, rp_view body,
                    char ret_signature[static RP_HOOK_SIGNATURE + 1]);

#endif
