/* Whatever stands in the shared tables, a session that is found is one that core could have
 * written, and what core writes afterwards is found. Input: heartbeat, last seen, then slots as
 * they lie. */
#include <stdlib.h>
#include <string.h>

#include "fuzz.h"
#include "identity/session_table.h"

enum { PAGE = 4096, NOW_MS = 1800000000, FIRST = 0x4141 & (RP_SESSION_SLOTS - 1) };

static uint8_t *table;
static int64_t *seen;

static void check_view(const struct rp_session_view *view) {
    FUZZ_CHECK(view->acr > RP_ACR_NONE && view->acr < RP_ACR_COUNT);
    FUZZ_CHECK((view->roles & ~(unsigned)RP_ROLES_ALL) == 0);
    FUZZ_CHECK(view->expires_ms > NOW_MS);
    FUZZ_CHECK(view->slot >= FIRST && view->slot < FIRST + RP_SESSION_PROBES);
    FUZZ_CHECK(!rp_id_is_none(view->session) && !rp_id_is_none(view->tenant));
}

static void write_after(const struct rp_sha256 *cookie) {
    const struct rp_session_view session = {.session = {{1}},
                                            .person = {{2}},
                                            .tenant = {{3}},
                                            .roles = RP_MEMBER,
                                            .acr = RP_ACR_MFA,
                                            .expires_ms = NOW_MS + 1000};
    struct rp_session_view found;
    rp_session_table_heartbeat(table, NOW_MS);
    if (rp_ok(rp_session_table_put(table, seen, cookie, &session, 60, NOW_MS))) {
        FUZZ_CHECK(rp_ok(rp_session_table_find(table, seen, cookie, NOW_MS, &found)));
        FUZZ_CHECK(rp_id_equal(found.session, session.session));
    }
    rp_session_table_revoke(table, cookie);
    FUZZ_CHECK(!rp_ok(rp_session_table_find(table, seen, cookie, NOW_MS, &found)));
}

/* The tables are made once: an input touches only the slots that its cookie may probe. */
static uint8_t *fresh_slots(void) {
    if (table == NULL) {
        table = aligned_alloc(64, rp_session_table_bytes());
        seen = calloc(RP_SESSION_SLOTS, sizeof *seen);
        FUZZ_CHECK(table != NULL && seen != NULL);
        memset(table, 0, rp_session_table_bytes());
        rp_session_table_init(table, 1, NOW_MS);
    }
    uint8_t *slots = table + PAGE + FIRST * sizeof(struct rp_session_slot);
    memset(slots, 0, RP_SESSION_PROBES * sizeof(struct rp_session_slot));
    memset(&seen[FIRST], 0, RP_SESSION_PROBES * sizeof *seen);
    rp_session_table_heartbeat(table, NOW_MS);
    return slots;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    uint8_t *slots = fresh_slots();
    struct rp_sha256 cookie;
    struct rp_session_view view;
    memset(cookie.b, 0x41, sizeof cookie.b);
    if (n >= 16) {
        int64_t times[2];
        memcpy(times, data, sizeof times);
        rp_session_table_heartbeat(table, times[0]);
        for (size_t i = 0; i < RP_SESSION_PROBES; i++) {
            seen[FIRST + i] = times[1];
        }
        size_t room = RP_SESSION_PROBES * sizeof(struct rp_session_slot);
        memcpy(slots, data + 16, n - 16 < room ? n - 16 : room);
    }
    if (rp_ok(rp_session_table_find(table, seen, &cookie, NOW_MS, &view))) {
        check_view(&view);
    }
    write_after(&cookie);
    return 0;
}
