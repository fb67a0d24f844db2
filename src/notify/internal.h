/* internal.h — what the files of this room share: names of kinds, and the sealed form. */
#ifndef RP_NOTIFY_INTERNAL_H
#define RP_NOTIFY_INTERNAL_H

#include "notify/notify.h"
#include "notify/outbox.h"

enum { RP_NOTICE_SEALED_MAX = 16 * 1024, RP_NOTICE_KEY_MAX = 64 };

bool rp_notice_channel_parse(rp_view name, enum rp_notice_channel *ret_channel);

/* After that many tries: a minute, then longer. */
int64_t rp_notice_pause_ms(unsigned tries);
/* What another machine said, fit for one line of our own; cut to the size of `out`. */
rp_view rp_notice_clean(rp_view problem, uint8_t out[static RP_NOTICE_PROBLEM]);

/* The place that a notice's bytes are sealed to, as associated data. */
struct rp_buf rp_notice_place(rp_id id, rp_id tenant, enum rp_notice_channel channel);

#endif
