/* gate_record.h — what an nginx worker tells the ledger about one request: 512 bytes, always.
 *
 * The worker fills a record and puts it into its ring (os/ring.h); the ledger copies it out and
 * believes nothing: version, kind, reason and every length are checked again by
 * rp_gate_record_parse. Queries, cookies and addresses never go in: the path is cut at '?', the
 * client is a salted hash. Texts that do not fit are cut, and a flag says so.
 *
 * The layout is the machine's own: both ends run on it. Filling needs no library.
 */
#ifndef RP_EVENT_GATE_RECORD_H
#define RP_EVENT_GATE_RECORD_H

#include "base/err.h"

enum { RP_GATE_RECORD_VERSION = 1, RP_GATE_RECORD_BYTES = 512 };

enum rp_gate_kind {
    RP_GATE_ALLOWED = 1,   /* goes to an access segment */
    RP_GATE_REFUSED,       /* gate.refused: each is a leaf, up to the limits */
    RP_GATE_UPSTREAM_DOWN, /* gate.upstream_down: the application does not answer */
    RP_GATE_RULE,          /* gate.rule: the application firewall refused, or would have */
    RP_GATE_KIND_COUNT
};

/* Why a request was refused. RP_GATE_REASON(NAME, "text"). */
#define RP_GATE_REASONS(X)                                                                         \
    X(NONE, "none")                                                                                \
    X(NO_SESSION, "no_session") /* sent to the sign-in page, or 401 */                             \
    X(SESSION_EXPIRED, "session_expired")                                                          \
    X(SECOND_FACTOR, "second_factor")                                                              \
    X(DENIED, "denied") /* policy or core says no */                                               \
    X(UNKNOWN_HOST, "unknown_host")                                                                \
    X(FORBIDDEN_HEADER, "forbidden_header")                                                        \
    X(BAD_REQUEST, "bad_request")                                                                  \
    X(METHOD, "method")                                                                            \
    X(TOO_LARGE, "too_large")                                                                      \
    X(RATE, "rate")                                                                                \
    X(LIST, "list") /* a deny list */                                                              \
    X(RULE, "rule") /* the application firewall */                                                 \
    X(CORE_DOWN, "core_down")                                                                      \
    X(UPSTREAM_DOWN, "upstream_down")                                                              \
    X(UPSTREAM_TIMEOUT, "upstream_timeout")                                                        \
    X(INTERNAL, "internal")                                                                        \
    X(CHALLENGE, "challenge") /* under attack: a stranger's browser is to work first */            \
    X(MODEL, "model")         /* not as the application's model says */

enum rp_gate_reason {
#define RP_GATE_REASON_ENUM(NAME, text) RP_GATE_REASON_##NAME,
    RP_GATE_REASONS(RP_GATE_REASON_ENUM)
#undef RP_GATE_REASON_ENUM
        RP_GATE_REASON_COUNT
};

/* DETECTED: the rules (or the model) would have refused, and the place only detects. OVER_BUDGET:
 * judging would have cost too much; the first rule is the one that spent the rest. DIRECT: it did
 * not come by the provider that is declared to stand in front. */
enum rp_gate_flag {
    RP_GATE_SESSION = 1,
    RP_GATE_CUT = 2,
    RP_GATE_DETECTED = 4,
    RP_GATE_OVER_BUDGET = 8,
    RP_GATE_DIRECT = 16,
    RP_GATE_FLAGS = 31
};
enum { RP_GATE_RULES_MAX = 8 };

struct rp_gate_record {
    uint8_t version;
    uint8_t kind;   /* rp_gate_kind */
    uint8_t reason; /* rp_gate_reason */
    uint8_t flags;  /* set of rp_gate_flag */
    uint16_t status;
    uint8_t host_len, method_len, path_len, app_len;
    uint8_t reserved[6]; /* zero */
    int64_t time_ms;
    uint64_t bytes; /* sent to the client */
    uint32_t duration_us;
    uint32_t reserved2; /* zero */
    uint8_t client_hash[16];
    uint8_t host[64];
    uint8_t method[8];
    uint8_t path[200];
    uint8_t app[32];
    /* Of RP_GATE_RULE alone, else zero: which rules matched, at which score, where first. What
     * was sent there stays a hash under the gate's salt. */
    uint16_t score;
    uint8_t rule_count, variable_len;
    uint32_t rules[RP_GATE_RULES_MAX];
    uint8_t incident[16], value_hash[16];
    uint8_t variable[64];
    uint8_t violation;     /* of the model, at `variable`: rp_violation; 0 = none */
    uint8_t reserved3[19]; /* zero: room for later versions */
};
_Static_assert(sizeof(struct rp_gate_record) == RP_GATE_RECORD_BYTES, "one slot of the ring");

static inline void rp_gate_record_start(struct rp_gate_record *record, enum rp_gate_kind kind,
                                        int64_t time_ms) {
    __builtin_memset(record, 0, sizeof *record);
    record->version = RP_GATE_RECORD_VERSION;
    record->kind = (uint8_t)kind;
    record->time_ms = time_ms;
}

/* Copies what fits into field[max] and sets its length; cutting sets RP_GATE_CUT. */
static inline void rp_gate_record_text(struct rp_gate_record *record, uint8_t *field, size_t max,
                                       uint8_t *len, rp_view text) {
    size_t n = text.n > max ? max : text.n;
    if (n < text.n) {
        record->flags |= RP_GATE_CUT;
    }
    if (n > 0) {
        __builtin_memcpy(field, text.p, n);
    }
    *len = (uint8_t)n;
}

static inline void rp_gate_record_host(struct rp_gate_record *record, rp_view host) {
    rp_gate_record_text(record, record->host, sizeof record->host, &record->host_len, host);
}
static inline void rp_gate_record_method(struct rp_gate_record *record, rp_view method) {
    rp_gate_record_text(record, record->method, sizeof record->method, &record->method_len, method);
}
static inline void rp_gate_record_app(struct rp_gate_record *record, rp_view app) {
    rp_gate_record_text(record, record->app, sizeof record->app, &record->app_len, app);
}
/* The query is not ours to keep. */
static inline void rp_gate_record_path(struct rp_gate_record *record, rp_view path) {
    size_t n = 0;
    while (n < path.n && path.p[n] != '?') {
        n++;
    }
    rp_gate_record_text(record, record->path, sizeof record->path, &record->path_len,
                        rp_view_of(path.p, n));
}

static inline void rp_gate_record_variable(struct rp_gate_record *record, rp_view variable) {
    rp_gate_record_text(record, record->variable, sizeof record->variable, &record->variable_len,
                        variable);
}

/* The consumer's side: CORRUPT unless every field is in its range and unused bytes are zero. */
rp_err rp_gate_record_parse(const uint8_t bytes[static RP_GATE_RECORD_BYTES],
                            struct rp_gate_record *ret_record);
const char *rp_gate_reason_text(enum rp_gate_reason reason);

#endif
