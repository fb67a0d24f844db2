/* hook.h — a notice as a webhook: the JSON that an operator's program gets, and its signature.
 *
 * The form is that of the Standard Webhooks specification, so that receivers find a library for it:
 * headers webhook-id (the notice's, the same at each try), webhook-timestamp (of this try, in
 * seconds) and webhook-signature, "v1," and the base64 HMAC-SHA256 of "id.timestamp.body". A
 * receiver that refuses old timestamps and remembers ids takes each notice once.
 *
 * Pure. Fails: TOO_LARGE; INVALID (a secret that is none).
 */
#ifndef RP_NOTIFY_HOOK_H
#define RP_NOTIFY_HOOK_H

#include "notify/outbox.h"

enum { RP_HOOK_BODY_MAX = 20 * 1024, RP_HOOK_SIGNATURE = 3 + 44 };

/* {"data":{the kind's values},"type":kind}, canonical: the same bytes at each try. */
rp_err rp_hook_print(const struct rp_notice_row *row, const struct rp_notice_content *content,
                     struct rp_arena *arena, struct rp_buf *out);
/* "whsec_" and 24 to 64 bytes in base64, as the specification has it. */
rp_err rp_hook_secret_parse(rp_view text, struct rp_secret **ret_secret);
/* "v1,…" */
rp_err rp_hook_sign(const struct rp_secret *secret, rp_id id, int64_t now_s, rp_view body,
                    char ret_signature[static RP_HOOK_SIGNATURE + 1]);

#endif
