/* gate.c — the rings of the gate's workers drained; requests that passed, gathered in segments. */
#include "ledger.h"

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/read_io.h"
#include "os/file.h"
#include "os/ring.h"
#include "wire/json.h"

enum {
    SEGMENT_MS = 1000,
    LINES_MAX = 2 * RP_ACCESS_SEGMENT_BYTES,
    DRAIN_MAX = 20000, /* records in one turn of the loop: others wait meanwhile */
    LINE_ARENA = 8192,
    PATH_SIZE = 64
};

static const struct rp_tree operator_tree = {.kind = RP_TREE_OPERATOR};

static int64_t now_ms(const struct ledger *ledger) {
    return rp_env_now_ms(&ledger->daemon->env);
}

/* ---- access segments ---- */

static void run_access(struct job *job) {
    job->err = rp_access_write(&job->ledger->disk, "ledger", job->time_ms, rp_buf_view(&job->bytes),
                               &job->hash);
    if (rp_ok(job->err)) {
        rp_ignore(rp_access_expire("ledger", job->time_ms)); /* the next segment tries again */
    }
}

static rp_err emit_segment(struct ledger *ledger, uint64_t time_ms, const rp_hash *hash,
                           uint64_t count) {
    char name[RP_ACCESS_NAME], hex[2 * RP_SHA256];
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(RP_EVENT_MAX);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_event *event =
        rp_event_new(arena, RP_EVENT_GATE_SEGMENT, now_ms(ledger), RP_ROLE_LEDGER);
    rp_access_name(time_ms, name);
    rp_hex_print(rp_view_of(hash->b, RP_SHA256), hex);
    rp_event_add_text(event, "file", rp_view_from_cstr(name));
    rp_event_add_text(event, "sha256", rp_view_of(hex, sizeof hex));
    rp_event_add_u64(event, "count", count);
    return intake_emit_now(ledger, operator_tree, event);
}

static void access_done(struct job *job) {
    if (rp_ok(job->err)) {
        job->err = emit_segment(job->ledger, job->time_ms, &job->hash, job->count);
    }
    if (!rp_ok(job->err)) {
        /* The requests were served all the same; that their lines are gone is counted. */
        job->ledger->ring_lost += job->count;
    }
    rp_buf_clear(&job->bytes);
}

/* Hands the gathered lines to the other thread and goes on with an empty buffer. */
static void close_segment(struct ledger *ledger) {
    struct job *job = &ledger->access;
    if (job->busy || ledger->line_count == 0 || ledger->hold != HOLD_NONE) {
        return;
    }
    struct rp_buf empty = job->bytes;
    uint64_t time_ms = (uint64_t)now_ms(ledger);
    job->bytes = ledger->lines;
    job->count = ledger->line_count;
    job->time_ms = RP_MAX(time_ms, ledger->last_segment_ms + 1);
    ledger->lines = empty;
    ledger->line_count = 0;
    ledger->last_segment_ms = job->time_ms;
    if (!grower_submit(job)) {
        ledger->ring_lost += job->count;
        rp_buf_clear(&job->bytes);
    }
}

static void add_text(struct rp_arena *arena, struct rp_json *line, const char *key, rp_view v) {
    uint8_t text[RP_EVENT_TEXT_MAX];
    rp_view copy;
    if (rp_ok(rp_arena_copy(arena, rp_view_of(text, rp_event_clean(v, text)), &copy))) {
        rp_json_add_string(arena, line, key, copy);
    }
}

static void add_line(struct ledger *ledger, const struct rp_gate_record *r,
                     struct rp_arena *arena) {
    struct rp_json *line = rp_json_object(arena);
    char hash[2 * sizeof r->client_hash];
    rp_hex_print(rp_view_of(r->client_hash, sizeof r->client_hash), hash);
    add_text(arena, line, "app", rp_view_of(r->app, r->app_len));
    rp_json_add_u64(arena, line, "bytes", RP_MIN(r->bytes, ((uint64_t)1 << 53) - 1));
    rp_json_add_string(arena, line, "client_hash", rp_view_of(hash, sizeof hash));
    rp_json_add_u64(arena, line, "duration_us", r->duration_us);
    add_text(arena, line, "host", rp_view_of(r->host, r->host_len));
    add_text(arena, line, "method", rp_view_of(r->method, r->method_len));
    add_text(arena, line, "path", rp_view_of(r->path, r->path_len));
    rp_json_add_bool(arena, line, "session", (r->flags & RP_GATE_SESSION) != 0);
    rp_json_add_u64(arena, line, "status", r->status);
    rp_json_add_u64(arena, line, "time", (uint64_t)r->time_ms);
    size_t before = ledger->lines.n;
    if (ledger->line_count == 0) {
        ledger->lines_ms = now_ms(ledger);
    }
    bool printed = rp_ok(rp_json_print(line, &ledger->lines));
    rp_buf_add_byte(&ledger->lines, '\n');
    if (!printed || ledger->lines.failed) {
        ledger->lines.n = before;
        ledger->lines.failed = false;
        ledger->ring_lost++;
        return;
    }
    ledger->line_count++;
}

static void turn_second(struct ledger *ledger, struct rp_arena *arena) {
    if (ledger->limits.second == now_ms(ledger) / 1000) {
        return;
    }
    uint64_t count = rp_gate_limits_turn(&ledger->limits, now_ms(ledger) / 1000);
    uint64_t lost = ledger->ring_lost;
    if (count > 0 || lost > 0) {
        ledger->ring_lost = 0;
        gate_emit_summary(ledger, count, lost, arena);
    }
}

/* ---- rings ---- */

/* What the producer says it lost, as far as it only ever grows. */
static void count_lost(struct ledger *ledger, struct ring *ring) {
    const struct rp_ring *head = ring->shm.p;
    uint64_t lost = __atomic_load_n(&head->lost, __ATOMIC_RELAXED);
    if (lost > ring->lost) {
        ledger->ring_lost += lost - ring->lost;
        ledger->tally.lost += lost - ring->lost;
    }
    ring->lost = lost;
}

static unsigned drain_ring(struct ledger *ledger, struct ring *ring, struct rp_arena *arena) {
    uint8_t bytes[RP_RING_RECORD];
    struct rp_gate_record record;
    unsigned n = 0;
    _Static_assert((int)RP_RING_RECORD == (int)RP_GATE_RECORD_BYTES, "one record a slot");
    while (n < DRAIN_MAX && rp_ring_get(ring->shm.p, ring->records, bytes)) {
        n++;
        rp_arena_reset(arena);
        if (!rp_ok(rp_gate_record_parse(bytes, &record))) {
            ledger->bad_records++;
            ledger->ring_lost++;
            ledger->tally.lost++;
            continue;
        }
        tally_count(&ledger->tally, &record);
        if (record.kind == RP_GATE_ALLOWED || (record.flags & RP_GATE_DETECTED)) {
            add_line(ledger, &record, arena);
        }
        if (record.kind != RP_GATE_ALLOWED &&
            rp_gate_limits_allow(&ledger->limits, &record, ledger->limits.second)) {
            gate_emit_record(ledger, &record, arena);
        }
    }
    count_lost(ledger, ring);
    return n;
}

void gate_drain(void *ctx) {
    struct ledger *ledger = ctx;
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(4 * LINE_ARENA);
    if (!arena) {
        return;
    }
    turn_second(ledger, arena);
    for (size_t i = 0; i < ledger->ring_count; i++) {
        (void)drain_ring(ledger, &ledger->rings[i], arena);
    }
    bool old = ledger->line_count > 0 && now_ms(ledger) - ledger->lines_ms >= SEGMENT_MS;
    if (old || ledger->lines.n >= RP_ACCESS_SEGMENT_BYTES) {
        close_segment(ledger);
    }
}

/* Maps the file that has the ring's name now: a restarted worker may have made a new one. */
static bool open_ring(struct ring *ring) {
    char path[PATH_SIZE];
    struct rp_shm shm;
    int n = snprintf(path, sizeof path, "run/ring.%llu", (unsigned long long)ring->number);
    RP_ASSERT(n > 0 && (size_t)n < sizeof path);
    if (!rp_ok(rp_shm_open(path, true, 0, &shm))) {
        return false;
    }
    if (!rp_ok(rp_shm_survive(&shm)) || !rp_ok(rp_ring_check(shm.p, shm.n))) {
        rp_shm_done(&shm);
        return false;
    }
    const struct rp_ring *head = shm.p;
    rp_shm_done(&ring->shm);
    ring->shm = shm;
    ring->records = __atomic_load_n(&head->records, __ATOMIC_RELAXED);
    return rp_ring_bytes(ring->records) == shm.n;
}

static rp_err see_ring(void *ctx, const char *name, bool is_folder) {
    struct ledger *ledger = ctx;
    rp_view v = rp_view_from_cstr(name);
    uint64_t number;
    if (is_folder || !rp_view_starts(v, RP_VIEW("ring.")) ||
        !rp_view_to_u64(rp_view_from(v, 5), UINT32_MAX, &number)) {
        return RP_OK;
    }
    for (size_t i = 0; i < ledger->ring_count; i++) {
        if (ledger->rings[i].number == number) {
            return RP_OK;
        }
    }
    if (ledger->ring_count < RINGS_MAX) {
        struct ring ring = {.number = number};
        if (open_ring(&ring)) {
            ledger->rings[ledger->ring_count++] = ring;
        } else {
            rp_shm_done(&ring.shm);
        }
    }
    return RP_OK;
}

void gate_scan(void *ctx) {
    struct ledger *ledger = ctx;
    gate_drain(ledger); /* what the old mappings still hold */
    size_t kept = 0;
    for (size_t i = 0; i < ledger->ring_count; i++) {
        struct ring ring = ledger->rings[i];
        if (rp_shm_is_lost(&ring.shm)) {
            /* Somebody cut it short: what it held nobody will read. */
            ledger->ring_lost++;
            ledger->bad_records++;
        }
        if (open_ring(&ring)) {
            ledger->rings[kept++] = ring;
        } else {
            rp_shm_done(&ring.shm);
        }
    }
    ledger->ring_count = kept;
    rp_ignore(rp_folder_each("run", see_ring, ledger)); /* none: the gate is not up */
}

/* ---- start and end ---- */

/* The newest segment that has a leaf: looked for from the tree's end. */
static rp_err last_segment(struct ledger *ledger, uint64_t *ret_time_ms) {
    struct rp_log *log;
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(1 << 20);
    RP_TRY(arena ? rp_log_open("ledger/operator", (rp_view){NULL, 0}, &log, NULL)
                 : RP_ERR(NO_MEMORY));
    rp_err err = RP_OK;
    uint64_t time_ms = 0;
    for (uint64_t i = rp_log_size(log); i > 0 && rp_ok(err) && time_ms == 0; i--) {
        rp_view entry;
        struct rp_event_read event;
        rp_arena_reset(arena);
        err = rp_log_entry(log, i - 1, arena, &entry);
        if (rp_ok(err) && rp_event_is(entry, RP_EVENT_GATE_SEGMENT) &&
            rp_ok(rp_event_parse(entry, arena, &event)) &&
            !rp_access_time_of(rp_json_get_string(event.fields, "file"), &time_ms)) {
            time_ms = 0;
        }
    }
    rp_log_free(log);
    RP_TRY(err);
    ledger->last_segment_ms = time_ms;
    *ret_time_ms = time_ms;
    return RP_OK;
}

static rp_err adopt_segment(void *ctx, uint64_t time_ms, const struct rp_sha256 *sha256) {
    struct ledger *ledger = ctx;
    ledger->last_segment_ms = time_ms;
    return emit_segment(ledger, time_ms, sha256, 0);
}

rp_err gate_start(struct ledger *ledger) {
    ledger->lines = rp_buf_new(LINES_MAX);
    ledger->access = (struct job){.ledger = ledger, .run = run_access, .done = access_done};
    ledger->access.bytes = rp_buf_new(LINES_MAX);
    uint64_t last_ms = 0;
    if (!rp_file_exists("ledger/access")) {
        return RP_OK;
    }
    RP_TRY(last_segment(ledger, &last_ms));
    return rp_access_each_after("ledger", last_ms, adopt_segment, ledger);
}

void gate_stop(struct ledger *ledger) {
    for (size_t i = 0; i < ledger->ring_count; i++) {
        rp_shm_done(&ledger->rings[i].shm);
    }
    rp_buf_done(&ledger->lines);
    rp_buf_done(&ledger->access.bytes);
}
