/* backup_ledger.c — the log in a backup: whole trees up to one moment, and the journal up to it.
 *
 * Full tiles and access segments never change: they are copied while the ledger writes on. What
 * does change is little (a few files at the right edge of each tree): it is copied while the ledger
 * holds. The journal's segments are opened then too, so that they can be read to the held place
 * when it has gone on. So the copy is a log in which every checkpoint covers every file.
 */
#include <stdlib.h>

#include "backup.h"
#include "base/assert.h"
#include "base/checked.h"
#include "ledger/access_io.h"
#include "ledger/idmap.h"
#include "ledger/journal_io.h"
#include "ledger/note.h"
#include "ledger/origin.h"
#include "ledger/state.h"
#include "ledger/tiles.h"
#include "os/file.h"

enum { SEGMENTS_MAX = 256, DEADLINE_MS = 30000, STATE_ARENA = RP_STATE_BYTES_MAX, PATH_SIZE = 320 };

struct segment {
    uint64_t number;
    int fd;
};

struct backup_log {
    struct backup *b; /* during one call */
    bool edges;       /* the second passage: under the hold */
    uint64_t fixed[RP_TREE_TENANT];
    struct rp_idmap tenants;     /* what is copied of each tree */
    uint64_t access_ms;          /* and of the access segments */
    struct rp_journal_place end; /* where the ledger holds */
    uint64_t first;              /* the segment that its state begins in */
    struct segment segments[SEGMENTS_MAX];
    size_t segment_count;
};

struct backup_log *backup_log_new(void) {
    struct backup_log *log = calloc(1, sizeof *log);
    if (log) {
        log->tenants = rp_idmap_new(RP_STATE_IDS_MAX);
    }
    return log;
}

void backup_log_free(struct backup_log *log) {
    if (log) {
        for (size_t i = 0; i < log->segment_count; i++) {
            rp_fd_done(&log->segments[i].fd);
        }
        rp_idmap_done(&log->tenants);
        free(log);
    }
}

/* ---- one tree ---- */

static uint64_t copied(const struct backup_log *log, struct rp_tree tree) {
    return tree.kind == RP_TREE_TENANT ? rp_idmap_get(&log->tenants, tree.tenant)
                                       : log->fixed[tree.kind];
}

static rp_err set_copied(struct backup_log *log, struct rp_tree tree, uint64_t size) {
    if (tree.kind == RP_TREE_TENANT) {
        return size > 0 ? rp_idmap_set(&log->tenants, tree.tenant, size) : RP_OK;
    }
    log->fixed[tree.kind] = size;
    return RP_OK;
}

static rp_err put_tile(struct backup *b, const char *folder, int level, uint64_t n,
                       unsigned width) {
    char path[RP_TILE_PATH_MAX];
    rp_tile_path(folder, (struct rp_tlog_tile){level, n, width}, path);
    return backup_put_file(b, path, path);
}

static uint64_t full_tiles(int level, uint64_t size) {
    return (level > 0 ? size >> (8 * level) : size) / RP_TILE_WIDTH;
}

/* The full tiles that the tree got from one size to the next; and at last the partial ones. */
static rp_err put_tiles(struct backup_log *log, const char *folder, uint64_t from, uint64_t to) {
    for (int level = RP_ENTRIES_LEVEL; level < RP_TILE_LEVELS; level++) {
        uint64_t full = full_tiles(level, to);
        for (uint64_t n = full_tiles(level, from); n < full; n++) {
            RP_TRY(put_tile(log->b, folder, level, n, RP_TILE_WIDTH));
        }
        unsigned width = rp_tile_width(level, full, to);
        if (log->edges && width > 0) {
            RP_TRY(put_tile(log->b, folder, level, full, width));
        }
    }
    return RP_OK;
}

/* The second line of a checkpoint. Its signature is `rempart verify`'s to check. */
static rp_err read_size(const char *path, uint64_t *ret_size) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(RP_NOTE_MAX);
    rp_view note = {NULL, 0};
    RP_TRY(arena ? rp_file_read(path, RP_NOTE_MAX, arena, &note) : RP_ERR(NO_MEMORY));
    (void)rp_view_cut(&note, '\n');
    return rp_view_to_u64(rp_view_cut(&note, '\n'), UINT64_MAX, ret_size) ? RP_OK : RP_ERR(CORRUPT);
}

static rp_err put_named(struct backup *b, const char *folder, const char *name, bool may_miss) {
    char path[PATH_SIZE];
    int n = snprintf(path, sizeof path, "%s/%s", folder, name);
    RP_ASSERT(n > 0 && (size_t)n < sizeof path);
    rp_err err = backup_put_file(b, path, path);
    return may_miss && rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}

struct inside {
    struct backup *b;
    const char *folder;
};

static rp_err put_inside(void *ctx, const char *name, bool is_folder) {
    const struct inside *inside = ctx;
    return is_folder ? RP_OK : put_named(inside->b, inside->folder, name, false);
}

static rp_err put_anchors(struct backup *b, const char *tree_folder) {
    char folder[PATH_SIZE];
    int n = snprintf(folder, sizeof folder, "%s/anchors", tree_folder);
    RP_ASSERT(n > 0 && (size_t)n < sizeof folder);
    struct inside inside = {b, folder};
    rp_err err = rp_folder_each(folder, put_inside, &inside);
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}

static rp_err put_tree(struct backup_log *log, const char *name, struct rp_tree tree) {
    char folder[PATH_SIZE / 2], path[PATH_SIZE];
    uint64_t size = 0;
    int n = snprintf(folder, sizeof folder, "ledger/%s", name);
    RP_ASSERT(n > 0 && (size_t)n < sizeof folder);
    n = snprintf(path, sizeof path, "%s/checkpoint", folder);
    RP_ASSERT(n > 0 && (size_t)n < sizeof path);
    rp_err err = read_size(path, &size);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return RP_OK; /* just being born: the journal has it */
    }
    RP_TRY(err);
    RP_TRY(put_tiles(log, folder, copied(log, tree), size));
    RP_TRY(set_copied(log, tree, size));
    if (!log->edges) {
        return RP_OK;
    }
    RP_TRY(put_anchors(log->b, folder));
    RP_TRY(put_named(log->b, folder, "vkey", true));
    RP_TRY(put_named(log->b, folder, "witnessed", true));
    return put_named(log->b, folder, "checkpoint", false);
}

static rp_err see_entry(void *ctx, const char *name, bool is_folder) {
    struct rp_tree tree;
    return is_folder && rp_tree_of_folder(rp_view_from_cstr(name), &tree)
               ? put_tree(ctx, name, tree)
               : RP_OK;
}

/* ---- access segments ---- */

static rp_err see_access(void *ctx, const char *name, bool is_folder) {
    struct backup_log *log = ctx;
    uint64_t time_ms = 0;
    if (is_folder || !rp_access_time_of(rp_view_from_cstr(name), &time_ms) ||
        time_ms <= log->access_ms) {
        return RP_OK;
    }
    log->access_ms = time_ms; /* names come in the order of their times */
    return put_named(log->b, "ledger/access", name, !log->edges);
}

static rp_err put_access(struct backup_log *log) {
    rp_err err = rp_folder_each("ledger/access", see_access, log);
    return rp_is(err, RP_E_NOT_FOUND) ? RP_OK : err;
}

rp_err backup_log_settled(struct backup *b, struct backup_log *log) {
    log->b = b;
    RP_TRY(put_access(log));
    return rp_folder_each("ledger", see_entry, log);
}

/* ---- under the hold ---- */

static rp_err ask(enum rp_ipc_message message, struct rp_buf *reply) {
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CLI, RP_ROLE_LEDGER, DEADLINE_MS);
    rp_err err = client ? rp_ipc_call(client, message, RP_VIEW(""), reply) : RP_ERR(NO_MEMORY);
    rp_ipc_client_free(client);
    return err;
}

static rp_err hold(struct backup_log *log) {
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(RP_IPC_MAX);
    RP_TRY(ask(RP_IPC_CLI_LEDGER_HOLD, &reply));
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&reply));
    log->end.segment = rp_unpack_u64(&in);
    log->end.offset = rp_unpack_u64(&in);
    return rp_unpack_end(&in);
}

static rp_err release(void) {
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(RP_IPC_MAX);
    return ask(RP_IPC_CLI_LEDGER_RELEASE, &reply);
}

/* The state as it is, and where it begins. Without one the journal begins at its beginning. */
static rp_err put_state(struct backup_log *log) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(STATE_ARENA);
    struct rp_ledger_state state;
    rp_view bytes = {NULL, 0};
    rp_err err = arena ? rp_file_read("ledger/journal/state", STATE_ARENA, arena, &bytes)
                       : RP_ERR(NO_MEMORY);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return RP_OK;
    }
    RP_TRY(err);
    rp_ledger_state_start(&state);
    err = rp_ledger_state_parse(bytes, &state);
    log->first = state.segment;
    rp_ledger_state_done(&state);
    return rp_ok(err) ? backup_put(log->b, "ledger/journal/state", 0640, bytes) : err;
}

/* "<16 hex digits>.log" */
static bool segment_number(rp_view name, uint64_t *ret_number) {
    uint8_t bytes[8];
    if (name.n != 20 || !rp_view_ends(name, RP_VIEW(".log")) ||
        !rp_hex_parse(rp_view_sub(name, 0, 16), bytes, sizeof bytes)) {
        return false;
    }
    uint64_t number = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        number = number << 8 | bytes[i];
    }
    *ret_number = number;
    return true;
}

static rp_err open_segment(void *ctx, const char *name, bool is_folder) {
    struct backup_log *log = ctx;
    char path[PATH_SIZE];
    struct segment segment = {.fd = -1};
    if (is_folder || !segment_number(rp_view_from_cstr(name), &segment.number) ||
        segment.number < log->first || segment.number > log->end.segment) {
        return RP_OK;
    }
    if (log->segment_count == SEGMENTS_MAX) {
        return rp_fail(&log->b->diag, RP_ERR(TOO_LARGE),
                       "over %d journal segments wait to be "
                       "anchored",
                       (int)SEGMENTS_MAX);
    }
    int n = snprintf(path, sizeof path, "ledger/journal/%s", name);
    RP_ASSERT(n > 0 && (size_t)n < sizeof path);
    RP_TRY(rp_file_open(path, &segment.fd));
    log->segments[log->segment_count++] = segment;
    return RP_OK;
}

static rp_err copy_edges(struct backup_log *log) {
    RP_TRY(put_state(log));
    RP_TRY(put_named(log->b, "ledger/journal", "anchor", true));
    RP_TRY(rp_folder_each("ledger/journal", open_segment, log));
    RP_TRY(put_access(log));
    RP_TRY(put_named(log->b, "ledger", "key", false));
    return rp_folder_each("ledger", see_entry, log);
}

rp_err backup_log_edges(struct backup *b, struct backup_log *log) {
    log->b = b;
    log->edges = true;
    rp_err err = hold(log);
    if (!rp_ok(err)) {
        return rp_fail(&b->diag, err, "the ledger does not hold");
    }
    err = copy_edges(log);
    rp_err released = release();
    RP_TRY(err);
    /* Then files may have changed under our hands. */
    return rp_ok(released) ? RP_OK
                           : rp_fail(&b->diag, RP_ERR(TIMEOUT),
                                     "the ledger held for ten seconds, and that was not enough");
}

rp_err backup_log_journal(struct backup *b, struct backup_log *log) {
    for (size_t i = 0; i < log->segment_count; i++) {
        const struct segment *segment = &log->segments[i];
        char name[PATH_SIZE];
        uint64_t size = 0;
        RP_TRY(rp_file_size(segment->fd, &size));
        if (segment->number == log->end.segment) {
            size = log->end.offset;
        }
        (void)snprintf(name, sizeof name, "ledger/journal/%016llx.log",
                       (unsigned long long)segment->number);
        RP_TRY(backup_put_fd(b, name, segment->fd, size));
    }
    return RP_OK;
}
