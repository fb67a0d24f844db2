#include "tally.h"

#include "base/assert.h"
#include "base/checked.h"
#include "ledger.h"
#include "os/batch.h"
#include "os/file.h"
#include "wire/json.h"

enum { FILE_MAX = 16 * 1024, MODE = 0644 };

/* Upper ends, in microseconds: Prometheus' own defaults. */
static const uint32_t ends_us[TALLY_BUCKETS] = {5000,   10000,   25000,   50000,   100000,  250000,
                                                500000, 1000000, 2500000, 5000000, 10000000};

/* What a rule refused was refused; what it only told of went on. */
static enum rp_gate_kind outcome_of(const struct rp_gate_record *record) {
    if (record->kind != RP_GATE_RULE) {
        return (enum rp_gate_kind)record->kind;
    }
    return record->flags & RP_GATE_DETECTED ? RP_GATE_ALLOWED : RP_GATE_REFUSED;
}

void tally_count(struct tally *tally, const struct rp_gate_record *record) {
    size_t class = record->status / 100, bucket = 0;
    RP_ASSERT(record->kind < RP_GATE_KIND_COUNT && record->reason < RP_GATE_REASON_COUNT);
    while (bucket < TALLY_BUCKETS && record->duration_us > ends_us[bucket]) {
        bucket++;
    }
    tally->kinds[outcome_of(record)]++;
    tally->reasons[record->reason]++;
    tally->classes[class < TALLY_CLASSES ? class : 0]++;
    tally->buckets[bucket]++;
    tally->duration_us += record->duration_us;
    tally->direct += (record->flags & RP_GATE_DIRECT) != 0;
}

static void add_requests(const struct tally *tally, struct rp_arena *arena, struct rp_json *root) {
    static const char *const kinds[] = {NULL, "allowed", "refused", "upstream_down"};
    static const char *const classes[TALLY_CLASSES] = {"none", "1xx", "2xx", "3xx", "4xx", "5xx"};
    struct rp_json *part = rp_json_add_object(arena, root, "outcomes");
    for (size_t i = RP_GATE_ALLOWED; i < RP_COUNT_OF(kinds); i++) {
        rp_json_add_u64(arena, part, kinds[i], tally->kinds[i]);
    }
    part = rp_json_add_object(arena, root, "statuses");
    for (size_t i = 0; i < TALLY_CLASSES; i++) {
        rp_json_add_u64(arena, part, classes[i], tally->classes[i]);
    }
    part = rp_json_add_object(arena, root, "reasons");
    for (size_t i = RP_GATE_REASON_NONE + 1; i < RP_GATE_REASON_COUNT; i++) {
        rp_json_add_u64(arena, part, rp_gate_reason_text((enum rp_gate_reason)i),
                        tally->reasons[i]);
    }
}

/* Pairs of end and count of all that were not slower; the last end is 0, "no end". */
static void add_durations(const struct tally *tally, struct rp_arena *arena, struct rp_json *root) {
    struct rp_json *list = rp_json_add_array(arena, root, "durations");
    uint64_t sum = 0;
    for (size_t i = 0; i <= TALLY_BUCKETS; i++) {
        struct rp_json *one = rp_json_add_object(arena, list, NULL);
        sum += tally->buckets[i];
        rp_json_add_u64(arena, one, "end_us", i < TALLY_BUCKETS ? ends_us[i] : 0);
        rp_json_add_u64(arena, one, "count", sum);
    }
    rp_json_add_u64(arena, root, "duration_us", tally->duration_us);
}

static rp_err write_file(const struct ledger *ledger, struct rp_arena *arena, struct rp_buf *out) {
    struct rp_json *root = rp_json_object(arena);
    uint64_t written = rp_engine_written(ledger->engine), bytes = 0;
    unsigned percent = 0;
    add_requests(&ledger->tally, arena, root);
    add_durations(&ledger->tally, arena, root);
    rp_json_add_u64(arena, root, "direct", ledger->tally.direct);
    rp_json_add_u64(arena, root, "lost", ledger->tally.lost);
    rp_json_add_u64(arena, root, "journal_bytes", written);
    rp_json_add_u64(arena, root, "behind_bytes", written - ledger->grown_bytes);
    if (rp_ok(rp_folder_free("ledger", &bytes, &percent))) {
        rp_json_add_u64(arena, root, "disk_free_bytes", bytes);
        rp_json_add_u64(arena, root, "disk_free_percent", percent);
    }
    RP_TRY(rp_json_print(root, out));
    return rp_batch_put("run/ledger.json.tmp", "run/ledger.json", MODE, rp_buf_view(out));
}

void tally_write(void *ctx) {
    const struct ledger *ledger = ctx;
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(4 * FILE_MAX);
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new(FILE_MAX);
    if (arena) {
        rp_ignore(write_file(ledger, arena, &out)); /* the next second tries again */
    }
}
