#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/access_io.h"
#include "ledger/anchor_io.h"
#include "ledger/verify_io.h"
#include "os/file.h"
#include "wire/json.h"

enum { LOOKS = 20, PATH_SIZE = RP_VERIFY_PATH_MAX };

static const int64_t keep_ms = (int64_t)RP_ACCESS_KEEP_DAYS * 24 * 3600 * 1000;

/* ---- what the entries say ---- */

static rp_err see_anchor(struct rp_verify *v, uint64_t index, rp_view entry,
                         struct rp_arena *arena) {
    struct rp_verify_anchor anchor = {.index = index};
    RP_TRY(rp_anchor_event_parse(entry, arena, &anchor.root, &anchor.trees));
    rp_buf_add(&v->anchors, rp_view_of(&anchor, sizeof anchor));
    return rp_buf_err(&v->anchors);
}

static rp_err see_segment(struct rp_verify *v, rp_view entry, struct rp_arena *arena) {
    struct rp_event_read event;
    struct rp_verify_segment segment = {.found = false};
    RP_TRY(rp_event_parse(entry, arena, &event));
    if (!rp_access_time_of(rp_json_get_string(event.fields, "file"), &segment.time_ms) ||
        !rp_hex_parse(rp_json_get_string(event.fields, "sha256"), segment.sha256.b, RP_SHA256)) {
        return RP_ERR(CORRUPT);
    }
    rp_buf_add(&v->segments, rp_view_of(&segment, sizeof segment));
    return rp_buf_err(&v->segments);
}

rp_err rp_verify_see_entry(struct rp_verify_tree *tree, uint64_t index, rp_view entry) {
    bool anchor = strcmp(tree->name, "public") == 0 && rp_event_is(entry, RP_EVENT_ANCHOR);
    bool segment = strcmp(tree->name, "operator") == 0 && rp_event_is(entry, RP_EVENT_GATE_SEGMENT);
    if (!anchor && !segment) {
        return RP_OK;
    }
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(256 * 1024);
    rp_err err = !arena   ? RP_ERR(NO_MEMORY)
                 : anchor ? see_anchor(tree->v, index, entry, arena)
                          : see_segment(tree->v, entry, arena);
    if (rp_is(err, RP_E_TOO_LARGE) || rp_is(err, RP_E_NO_MEMORY) || rp_ok(err)) {
        return err;
    }
    return rp_verify_bad(tree->v, tree, "checkpoint", 0, "entry %llu cannot be read",
                         (unsigned long long)index);
}

/* ---- anchors ---- */

static struct rp_verify_anchor *find_anchor(const struct rp_verify *v, uint64_t index) {
    struct rp_verify_anchor *all = (void *)v->anchors.p;
    size_t low = 0, high = v->anchors.n / sizeof *all;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (all[middle].index < index) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    bool found = low < v->anchors.n / sizeof *all && all[low].index == index;
    return found ? &all[low] : NULL;
}

/* Is the public tree longer than when we read it? Then its newer anchors are not ours to judge. */
static bool public_grew_past(struct rp_verify *v, uint64_t index) {
    char folder[PATH_SIZE];
    rp_verify_path(v->folder, "public", folder);
    for (unsigned i = 0; i < LOOKS; i++) {
        struct rp_log *log;
        if (rp_ok(rp_log_open(folder, (rp_view){NULL, 0}, &log, NULL))) {
            uint64_t size = rp_log_size(log);
            rp_log_free(log);
            if (size > index) {
                return true;
            }
        }
        rp_verify_wait();
    }
    return false;
}

static rp_err link_record(struct rp_verify_tree *tree, const struct rp_anchor *record,
                          const char *file, uint64_t offset) {
    struct rp_verify *v = tree->v;
    if (!v->whole) {
        return RP_OK;
    }
    if (record->public_index >= v->public_size) {
        return public_grew_past(v, record->public_index)
                   ? RP_OK
                   : rp_verify_bad(v, NULL, "public/checkpoint", 0,
                                   "rolled back: %s was anchored in entry %llu", tree->name,
                                   (unsigned long long)record->public_index);
    }
    struct rp_verify_anchor *anchor = find_anchor(v, record->public_index);
    if (!anchor ||
        !rp_ok(rp_anchor_check(record, rp_view_from_cstr(tree->origin), &anchor->root)) ||
        record->leaves != anchor->trees) {
        return rp_verify_bad(
            v, tree, file, offset, "record %llu does not lead to the anchor in public entry %llu",
            (unsigned long long)record->number, (unsigned long long)record->public_index);
    }
    anchor->found++;
    return RP_OK;
}

static rp_err check_record(struct rp_verify_tree *tree, struct rp_log *log,
                           const struct rp_anchor *record, const char *file, uint64_t offset) {
    rp_hash root;
    RP_TRY(link_record(tree, record, file, offset));
    if (record->size > rp_log_size(log)) {
        rp_ignore(rp_log_refresh(log, NULL)); /* it may have grown; asked again below */
    }
    if (record->size > rp_log_size(log)) {
        return rp_verify_bad(tree->v, tree, "checkpoint", 0,
                             "rolled back: %llu entries were anchored, %llu are here",
                             (unsigned long long)record->size,
                             (unsigned long long)rp_log_size(log));
    }
    if (!rp_ok(rp_log_root_at(log, record->size, &root)) ||
        !rp_sha256_equal(&root, &record->root)) {
        return rp_verify_bad(tree->v, tree, file, offset,
                             "record %llu is of another tree than stands here",
                             (unsigned long long)record->number);
    }
    return RP_OK;
}

rp_err rp_verify_anchor_file(struct rp_verify_tree *tree, struct rp_log *log, const char *name,
                             uint64_t *next_number, uint64_t *last_index) {
    char file[64], path[PATH_SIZE];
    rp_view bytes, rest;
    int n = snprintf(file, sizeof file, "anchors/%.40s", name);
    RP_ASSERT(n > 0 && (size_t)n < sizeof file);
    rp_verify_path(tree->folder, file, path);
    rp_arena_reset(tree->arena);
    if (!rp_ok(rp_file_read(path, RP_ANCHOR_FILE_MAX, tree->arena, &bytes)) || bytes.n == 0) {
        return rp_verify_bad(tree->v, tree, file, 0, "not a file of anchor records");
    }
    bool first = true;
    for (rest = bytes; rest.n > 0; first = false) {
        uint64_t offset = bytes.n - rest.n;
        struct rp_anchor record;
        if (!rp_ok(rp_anchor_parse(&rest, &record))) {
            return rp_verify_bad(tree->v, tree, file, offset, "not an anchor record");
        }
        char first_name[32];
        n = snprintf(first_name, sizeof first_name, "%llu",
                     (unsigned long long)record.public_index);
        RP_ASSERT(n > 0 && (size_t)n < sizeof first_name);
        bool in_order = record.number == *next_number &&
                        (record.number == 0 || record.public_index > *last_index) &&
                        (!first || strcmp(first_name, name) == 0);
        if (!in_order) {
            return rp_verify_bad(tree->v, tree, file, offset, "record %llu stands where %llu does",
                                 (unsigned long long)record.number,
                                 (unsigned long long)*next_number);
        }
        RP_TRY(check_record(tree, log, &record, file, offset));
        *next_number = record.number + 1;
        *last_index = record.public_index;
    }
    rp_verify_count(tree->v, bytes.n);
    return RP_OK;
}

rp_err rp_verify_anchor_counts(struct rp_verify *v) {
    const struct rp_verify_anchor *all = (const void *)v->anchors.p;
    for (size_t i = 0; i < v->anchors.n / sizeof *all; i++) {
        if (all[i].found != all[i].trees) {
            return rp_verify_bad(v, NULL, "*/anchors", 0,
                                 "public entry %llu anchors %llu trees, records of %llu are here",
                                 (unsigned long long)all[i].index, (unsigned long long)all[i].trees,
                                 (unsigned long long)all[i].found);
        }
    }
    return RP_OK;
}

/* ---- access segments ---- */

static int by_time(const void *a, const void *b) {
    uint64_t x = ((const struct rp_verify_segment *)a)->time_ms;
    uint64_t y = ((const struct rp_verify_segment *)b)->time_ms;
    return x < y ? -1 : x > y ? 1 : 0;
}

static struct rp_verify_segment *find_segment(const struct rp_verify *v, uint64_t time_ms) {
    struct rp_verify_segment key = {.time_ms = time_ms};
    return v->segments.n == 0
               ? NULL
               : bsearch(&key, v->segments.p, v->segments.n / sizeof key, sizeof key, by_time);
}

/* Whether this entry is the leaf of the segment of that time; it leaves nothing in v. */
static bool is_leaf_of(struct rp_verify *v, rp_view entry, uint64_t time_ms, struct rp_arena *arena,
                       struct rp_verify_segment *ret) {
    size_t before = v->segments.n;
    struct rp_verify_segment seen;
    if (!rp_event_is(entry, RP_EVENT_GATE_SEGMENT) || !rp_ok(see_segment(v, entry, arena))) {
        return false;
    }
    memcpy(&seen, v->segments.p + before, sizeof seen);
    v->segments.n = before;
    if (seen.time_ms != time_ms) {
        return false;
    }
    *ret = seen;
    return true;
}

/* NOT_FOUND: it is not among the newest. */
static rp_err find_leaf(struct rp_verify *v, struct rp_log *log, uint64_t time_ms,
                        struct rp_verify_segment *ret) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(1 << 20);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    uint64_t size = rp_log_size(log);
    for (uint64_t i = size > RP_TILE_WIDTH ? size - RP_TILE_WIDTH : 0; i < size; i++) {
        rp_view entry;
        rp_arena_reset(arena);
        if (rp_ok(rp_log_entry(log, i, arena, &entry)) &&
            is_leaf_of(v, entry, time_ms, arena, ret)) {
            return RP_OK;
        }
    }
    return RP_ERR(NOT_FOUND);
}

/* The leaf of a file that was written while we read: it comes within moments. */
static rp_err await_leaf(struct rp_verify *v, uint64_t time_ms, struct rp_verify_segment *ret) {
    char folder[PATH_SIZE];
    rp_verify_path(v->folder, "operator", folder);
    for (unsigned look = 0; look < LOOKS; look++) {
        struct rp_log *log;
        RP_TRY(rp_log_open(folder, (rp_view){NULL, 0}, &log, NULL));
        rp_err err = find_leaf(v, log, time_ms, ret);
        rp_log_free(log);
        if (!rp_is(err, RP_E_NOT_FOUND)) {
            return err;
        }
        rp_verify_wait();
    }
    return RP_ERR(NOT_FOUND);
}

static rp_err check_access_file(void *ctx, const char *name, bool is_folder) {
    struct rp_verify *v = ctx;
    char file[300], path[PATH_SIZE];
    uint64_t time_ms, bytes;
    int n = snprintf(file, sizeof file, "access/%.255s", name);
    RP_ASSERT(n > 0 && (size_t)n < sizeof file);
    if (is_folder || !rp_access_time_of(rp_view_from_cstr(name), &time_ms)) {
        return rp_verify_bad(v, NULL, file, 0, "a file that nobody knows");
    }
    struct rp_verify_segment late, *segment = find_segment(v, time_ms);
    if (!segment) {
        segment = rp_ok(await_leaf(v, time_ms, &late)) ? &late : NULL;
    }
    if (!segment) {
        return rp_verify_bad(v, NULL, file, 0, "no entry of the operator's tree names it");
    }
    rp_verify_path(v->folder, file, path);
    _cleanup_fd_ int fd = -1;
    rp_hash sum;
    RP_TRY(rp_file_open(path, &fd));
    RP_TRY(rp_file_size(fd, &bytes));
    RP_TRY(rp_sha256_of_fd(fd, &sum));
    if (!rp_sha256_equal(&sum, &segment->sha256)) {
        return rp_verify_bad(v, NULL, file, 0, "not the bytes whose hash was logged");
    }
    segment->found = true;
    rp_verify_count(v, bytes);
    return RP_OK;
}

/* A segment may go after its days, counted back from the newest: whoever removes them counts so
 * too. */
static rp_err check_absent(struct rp_verify *v) {
    const struct rp_verify_segment *all = (const void *)v->segments.p;
    size_t count = v->segments.n / sizeof *all;
    for (size_t i = 0; i < count; i++) {
        if (!all[i].found && all[i].time_ms + (uint64_t)keep_ms >= all[count - 1].time_ms) {
            char file[64];
            rp_access_name(all[i].time_ms, file);
            char path[80];
            int n = snprintf(path, sizeof path, "access/%s", file);
            RP_ASSERT(n > 0 && (size_t)n < sizeof path);
            return rp_verify_bad(v, NULL, path, 0, "missing before its days are over");
        }
    }
    return RP_OK;
}

rp_err rp_verify_access(struct rp_verify *v) {
    char folder[PATH_SIZE];
    rp_verify_path(v->folder, "access", folder);
    if (v->segments.n > 0) {
        qsort(v->segments.p, v->segments.n / sizeof(struct rp_verify_segment),
              sizeof(struct rp_verify_segment), by_time);
    }
    rp_err err = rp_folder_each(folder, check_access_file, v);
    if (!rp_ok(err) && !rp_is(err, RP_E_NOT_FOUND)) {
        return err;
    }
    return check_absent(v);
}
