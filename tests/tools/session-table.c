/* session-table.c — what core does to the gate's tables and the ledger to its rings, by hand, for
 * tests of the gate alone.
 *
 *   session-table RUN init                                  makes the three tables
 *   session-table RUN beat AGE_MS                           core's heartbeat, that long ago
 *   session-table RUN put COOKIE ACR SESSION PERSON TENANT EXPIRES_IN_S   acr: 1 pwd, 2 mfa, 3 phr
 *   session-table RUN revoke COOKIE
 *   session-table RUN assert SESSION APP JWT EMAIL ROLES AGE_MS
 *   session-table RUN drain INDEX                           ring.INDEX as lines of text
 *   session-table RUN live INDEX                            beats and drains until it is ended
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/assert.h"
#include "base/env.h"
#include "event/gate_record.h"
#include "identity/assertion_table.h"
#include "identity/session_table.h"
#include "os/ring.h"
#include "os/shm.h"

enum { PATH_BYTES = 512 };

static const char *path_of(char out[static PATH_BYTES], const char *folder, const char *name) {
    int n = snprintf(out, PATH_BYTES, "%s/%s", folder, name);
    RP_ASSERT(n > 0 && n < PATH_BYTES);
    return out;
}

static rp_err map(const char *folder, const char *name, struct rp_shm *ret_shm) {
    char path[PATH_BYTES];
    return rp_shm_open(path_of(path, folder, name), true, 0, ret_shm);
}

static int64_t now_ms(void) {
    struct rp_env env = rp_env_real();
    return rp_env_now_ms(&env);
}

static int64_t number(const char *text) {
    uint64_t value = 0;
    bool good = rp_view_to_u64(rp_view_from_cstr(text), INT64_MAX, &value);
    RP_ASSERT(good);
    return (int64_t)value;
}

static rp_id id_of(const char *text) {
    rp_id id;
    bool good = rp_id_parse(rp_view_from_cstr(text), &id);
    RP_ASSERT(good);
    return id;
}

static rp_err init(const char *folder) {
    char path[PATH_BYTES];
    struct rp_shm sessions, seen, assertions;
    RP_TRY(rp_shm_create(path_of(path, folder, "seen.tab"), 0666, rp_seen_table_bytes(), &seen));
    RP_TRY(rp_shm_create(path_of(path, folder, "assertions.tab"), 0644, rp_assertion_table_bytes(),
                         &assertions));
    rp_assertion_table_init(assertions.p);
    RP_TRY(rp_shm_create(path_of(path, folder, "sessions.tab"), 0644, rp_session_table_bytes(),
                         &sessions));
    rp_session_table_init(sessions.p, 1, now_ms());
    return RP_OK;
}

static rp_err beat(const char *folder, const char *age) {
    struct rp_shm sessions;
    RP_TRY(map(folder, "sessions.tab", &sessions));
    rp_session_table_heartbeat(sessions.p, now_ms() - number(age));
    return RP_OK;
}

static rp_err put(const char *folder, char **words) {
    struct rp_shm sessions, seen;
    RP_TRY(map(folder, "sessions.tab", &sessions));
    RP_TRY(map(folder, "seen.tab", &seen));
    struct rp_sha256 hash = rp_sha256_of(rp_view_from_cstr(words[0]));
    const struct rp_session_view session = {
        .acr = (enum rp_acr)number(words[1]),
        .session = id_of(words[2]),
        .person = id_of(words[3]),
        .tenant = id_of(words[4]),
        .roles = RP_MEMBER,
        .expires_ms = now_ms() + 1000 * number(words[5]),
    };
    return rp_session_table_put(sessions.p, seen.p, &hash, &session, 3600, now_ms());
}

static rp_err end_session(const char *folder, const char *cookie) {
    struct rp_shm sessions;
    RP_TRY(map(folder, "sessions.tab", &sessions));
    struct rp_sha256 hash = rp_sha256_of(rp_view_from_cstr(cookie));
    rp_session_table_revoke(sessions.p, &hash);
    return RP_OK;
}

static rp_err put_assertion(const char *folder, char **words) {
    struct rp_shm assertions;
    RP_TRY(map(folder, "assertions.tab", &assertions));
    const struct rp_assertion_entry entry = {.jwt = rp_view_from_cstr(words[2]),
                                             .email = rp_view_from_cstr(words[3]),
                                             .roles = rp_view_from_cstr(words[4]),
                                             .minted_ms = now_ms() - number(words[5])};
    return rp_assertion_table_put(assertions.p, id_of(words[0]), rp_view_from_cstr(words[1]),
                                  &entry);
}

static rp_err drain(const char *folder, const char *index) {
    char name[32];
    snprintf(name, sizeof name, "ring.%s", index);
    struct rp_shm ring;
    RP_TRY(map(folder, name, &ring));
    RP_TRY(rp_ring_check(ring.p, ring.n));
    uint32_t records = ((const struct rp_ring *)ring.p)->records;
    uint8_t bytes[RP_RING_RECORD];
    while (rp_ring_get(ring.p, records, bytes)) {
        struct rp_gate_record record;
        RP_TRY(rp_gate_record_parse(bytes, &record));
        printf("kind=%u reason=%s status=%u session=%d method=%.*s host=%.*s app=%.*s path=%.*s\n",
               record.kind, rp_gate_reason_text((enum rp_gate_reason)record.reason), record.status,
               record.flags & RP_GATE_SESSION, record.method_len, (const char *)record.method,
               record.host_len, (const char *)record.host, record.app_len, (const char *)record.app,
               record.path_len, (const char *)record.path);
    }
    return RP_OK;
}

/* What core and the ledger do all day, for benches: nothing is printed. */
static rp_err live(const char *folder, const char *index) {
    char name[32];
    snprintf(name, sizeof name, "ring.%s", index);
    struct rp_shm ring, sessions;
    RP_TRY(map(folder, name, &ring));
    RP_TRY(rp_ring_check(ring.p, ring.n));
    RP_TRY(map(folder, "sessions.tab", &sessions));
    uint32_t records = ((const struct rp_ring *)ring.p)->records;
    const struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
    for (;;) {
        uint8_t bytes[RP_RING_RECORD];
        while (rp_ring_get(ring.p, records, bytes)) {
        }
        rp_session_table_heartbeat(sessions.p, now_ms());
        nanosleep(&pause, NULL);
    }
}

static rp_err run(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[2], "init") == 0) {
        return init(argv[1]);
    }
    if (argc == 4 && strcmp(argv[2], "beat") == 0) {
        return beat(argv[1], argv[3]);
    }
    if (argc == 9 && strcmp(argv[2], "put") == 0) {
        return put(argv[1], argv + 3);
    }
    if (argc == 4 && strcmp(argv[2], "revoke") == 0) {
        return end_session(argv[1], argv[3]);
    }
    if (argc == 9 && strcmp(argv[2], "assert") == 0) {
        return put_assertion(argv[1], argv + 3);
    }
    if (argc == 4 && strcmp(argv[2], "drain") == 0) {
        return drain(argv[1], argv[3]);
    }
    if (argc == 4 && strcmp(argv[2], "live") == 0) {
        return live(argv[1], argv[3]);
    }
    return RP_ERR(INVALID);
}

int main(int argc, char **argv) {
    rp_err err = run(argc, argv);
    if (!rp_ok(err)) {
        fprintf(stderr, "session-table: %s\n", rp_err_name(err));
    }
    return rp_ok(err) ? 0 : 1;
}
