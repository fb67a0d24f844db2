/* session_table.h — live sessions, written by core, read by every nginx worker.
 *
 * run/sessions.tab: a page of header, then 128-byte slots, open addressing by the SHA-256 of the
 * cookie (the cookie itself is stored nowhere). Each slot has a seqlock: a reader copies, checks,
 * and treats a torn or odd slot as no session. Probing is bounded to RP_SESSION_PROBES slots.
 * run/seen.tab: 8 bytes a slot, written by the gate: it can only extend the idle time, never the
 * absolute one. The header's heartbeat tells the gate that core lives. Writes (init, put, revoke)
 * come from one thread of core at a time. A page of slots that nobody was put into is not touched,
 * so that it takes no memory: the table weighs what it holds.
 *
 * Pure: works on mapped memory. Promises: S99, S175 (revocation is seen within a second).
 */
#ifndef RP_IDENTITY_SESSION_TABLE_H
#define RP_IDENTITY_SESSION_TABLE_H

#include "base/err.h"
#include "base/id.h"
#include "crypto/hash.h"
#include "policy/policy.h"

enum {
    RP_SESSION_MAGIC = 0x54535052, /* "RPST" */
    RP_SESSION_VERSION = 1,
    RP_SESSION_SLOTS = 16384,
    RP_SESSION_PROBES = 32,
    RP_SESSION_PAGES = 512,      /* of 4 KiB, with 32 slots each */
    RP_CORE_GRACE_MS = 60 * 1000 /* how long sessions outlive core's heartbeat */
};

struct rp_session_header {
    uint32_t magic, version, slots, slot_bytes;
    uint64_t generation;  /* changes when core starts the table anew */
    int64_t heartbeat_ms; /* core writes it every second */
    uint32_t replaced;    /* another file has this one's name: who maps this looks again */
    uint32_t pad;
    uint64_t used_pages[RP_SESSION_PAGES / 64]; /* core's: bits of those that a put wrote to */
};

struct rp_session_slot {
    uint32_t lock;  /* odd while being written */
    uint8_t used;   /* 0 free, 1 live, 2 revoked (keeps the probe chain) */
    uint8_t acr;    /* rp_acr */
    uint16_t roles; /* set of rp_tenant_role */
    uint8_t cookie_hash[RP_SHA256];
    rp_id session, person, tenant;
    int64_t expires_ms; /* absolute */
    uint32_t idle_max_s;
    uint8_t pad[128 - 4 - 4 - 32 - 48 - 8 - 4];
};
_Static_assert(sizeof(struct rp_session_slot) == 128, "slots are shared between programs");

/* A session as a reader saw it. */
struct rp_session_view {
    rp_id session, person, tenant;
    unsigned roles;
    enum rp_acr acr;
    int64_t expires_ms;
    uint32_t slot;
};

size_t rp_session_table_bytes(void);
size_t rp_seen_table_bytes(void);
/* Everybody counts as seen now: for a table that had to be made anew. */
void rp_seen_table_fill(void *seen, int64_t now_ms);
/* Of bytes that are zero, as a new file's are. */
void rp_session_table_init(void *table, uint64_t generation, int64_t now_ms);
/* CORRUPT unless the mapping is a session table of this version. */
rp_err rp_session_table_check(const void *table, size_t n);
void rp_session_table_heartbeat(void *table, int64_t now_ms);
/* Core, to its predecessor's table; the gate, at each look. */
void rp_session_table_replace(void *table);
bool rp_session_table_is_replaced(const void *table);

/* Core: OVERLOAD when no slot within the probes is free. */
rp_err rp_session_table_put(void *table, void *seen, const struct rp_sha256 *cookie_hash,
                            const struct rp_session_view *session, uint32_t idle_max_s,
                            int64_t now_ms);
void rp_session_table_revoke(void *table, const struct rp_sha256 *cookie_hash);

/* Core: it stands in the table and nobody used it for too long. Touches nothing. */
bool rp_session_table_is_idle(const void *table, const void *seen,
                              const struct rp_sha256 *cookie_hash, int64_t now_ms);

/* How many are live. */
uint64_t rp_session_table_count(const void *table, int64_t now_ms);

/* Gate: UNAUTHENTICATED when there is none, EXPIRED when it ran out, KMS_DOWN's cousin
 * UNREACHABLE when core has been silent for longer than its grace. Touches `seen`. */
rp_err rp_session_table_find(const void *table, void *seen, const struct rp_sha256 *cookie_hash,
                             int64_t now_ms, struct rp_session_view *ret_session);

#endif
