/* vault_access_io.c — access segments of the copy: each once, in pieces, and only those that an
 * entry of the operator's tree names, with the bytes whose hash it says. */
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/access_io.h"
#include "ledger/origin.h"
#include "ledger/read_io.h"
#include "ledger/vault_parts_io.h"
#include "os/batch.h"
#include "os/file.h"
#include "wire/json.h"

enum {
    SEGMENT_MAX = 5 * RP_ACCESS_SEGMENT_BYTES, /* as rp_access_write bounds them */
    ENTRY_ARENA = 1 << 20,
    FILE_MODE = 0640
};

static const int64_t DAY_MS = (int64_t)24 * 3600 * 1000;
static const int64_t KEEP_MS = (int64_t)RP_ACCESS_KEEP_DAYS * 24 * 3600 * 1000;
static const rp_view part_suffix = RP_VIEW_INIT(".part");

static struct rp_vault_wanted *all_wanted(const struct rp_vault *vault, size_t *ret_count) {
    *ret_count = vault->wanted.n / sizeof(struct rp_vault_wanted);
    return (struct rp_vault_wanted *)(void *)vault->wanted.p;
}

static struct rp_vault_wanted *find_wanted(const struct rp_vault *vault, uint64_t time_ms) {
    size_t count;
    struct rp_vault_wanted *wanted = all_wanted(vault, &count);
    for (size_t i = 0; i < count; i++) {
        if (wanted[i].time_ms == time_ms) {
            return &wanted[i];
        }
    }
    return NULL;
}

static void segment_path(const struct rp_vault *vault, uint64_t time_ms,
                         char out[static RP_VAULT_PATH_MAX]) {
    char name[RP_ACCESS_NAME];
    rp_access_name(time_ms, name);
    rp_vault_path(vault, out, "access/%s", name);
}

static void part_path(const struct rp_vault *vault, uint64_t time_ms,
                      char out[static RP_VAULT_PATH_MAX]) {
    char name[RP_ACCESS_NAME];
    rp_access_name(time_ms, name);
    rp_vault_path(vault, out, "journal/%s%.*s", name, RP_FMT(part_suffix));
}

/* ---- what is wanted ---- */

static rp_err parse_entry(rp_view entry, struct rp_arena *arena, struct rp_vault_wanted *ret) {
    struct rp_event_read event;
    struct rp_vault_wanted wanted = {.time_ms = 0};
    RP_TRY(rp_event_parse(entry, arena, &event));
    if (!rp_access_time_of(rp_json_get_string(event.fields, "file"), &wanted.time_ms) ||
        !rp_hex_parse(rp_json_get_string(event.fields, "sha256"), wanted.sha256.b, RP_SHA256)) {
        return RP_ERR(CORRUPT);
    }
    *ret = wanted;
    return RP_OK;
}

static bool is_past(const struct rp_vault *vault, uint64_t time_ms) {
    return (int64_t)time_ms < rp_env_now_ms(vault->env) + DAY_MS;
}

/* A newer one came: those whose days are over then are not waited for. No entry is believed that
 * names tomorrow, so that none makes the others go before their days. */
static void forget_before(struct rp_vault *vault, uint64_t newest_ms) {
    size_t count;
    struct rp_vault_wanted *wanted = all_wanted(vault, &count);
    size_t old = 0;
    while (old < count && !wanted[old].whole &&
           wanted[old].time_ms + (uint64_t)KEEP_MS < newest_ms) {
        old++;
    }
    rp_buf_consume(&vault->wanted, old * sizeof *wanted);
}

rp_err rp_vault_access_see(struct rp_vault *vault, uint64_t index, rp_view entry) {
    char path[RP_VAULT_PATH_MAX];
    struct rp_vault_wanted wanted;
    if (!rp_event_is(entry, RP_EVENT_GATE_SEGMENT)) {
        return RP_OK;
    }
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ENTRY_ARENA);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    if (!rp_ok(parse_entry(entry, arena, &wanted))) {
        return RP_OK; /* an entry that names nothing: rp_verify_folder will say so */
    }
    segment_path(vault, wanted.time_ms, path);
    if (!is_past(vault, wanted.time_ms) || rp_file_exists(path) ||
        find_wanted(vault, wanted.time_ms)) {
        return RP_OK;
    }
    forget_before(vault, wanted.time_ms);
    wanted.index = index;
    rp_buf_add(&vault->wanted, rp_view_of(&wanted, sizeof wanted));
    return rp_buf_err(&vault->wanted);
}

static void drop_at(struct rp_vault *vault, size_t at) {
    size_t count;
    struct rp_vault_wanted *wanted = all_wanted(vault, &count);
    char path[RP_VAULT_PATH_MAX];
    part_path(vault, wanted[at].time_ms, path);
    rp_ignore(rp_file_remove(path)); /* at the next start it goes */
    memmove(&wanted[at], &wanted[at + 1], (count - at - 1) * sizeof *wanted);
    vault->wanted.n -= sizeof *wanted;
}

void rp_vault_access_forget(struct rp_vault *vault, uint64_t from) {
    size_t count;
    struct rp_vault_wanted *wanted = all_wanted(vault, &count);
    for (size_t i = count; i > 0; i--) {
        if (wanted[i - 1].index >= from) {
            drop_at(vault, i - 1);
        }
    }
}

void rp_vault_wanted(const struct rp_vault *vault, uint64_t after_ms, uint64_t *ret_time_ms,
                     uint64_t *ret_bytes) {
    size_t count;
    const struct rp_vault_wanted *wanted = all_wanted(vault, &count), *next = NULL;
    for (size_t i = 0; i < count; i++) {
        if (!wanted[i].whole && wanted[i].time_ms > after_ms &&
            (!next || wanted[i].time_ms < next->time_ms)) {
            next = &wanted[i];
        }
    }
    *ret_time_ms = next ? next->time_ms : 0;
    *ret_bytes = next ? next->bytes : 0;
}

/* ---- what comes ---- */

/* From where it was gathered to where it stays. Its bytes are durable. */
static rp_err place(struct rp_vault *vault, const struct rp_vault_wanted *wanted) {
    char part[RP_VAULT_PATH_MAX], path[RP_VAULT_PATH_MAX];
    part_path(vault, wanted->time_ms, part);
    segment_path(vault, wanted->time_ms, path);
    return vault->disk->rename(vault->disk->ctx, part, path);
}

rp_err rp_vault_access_place(struct rp_vault *vault, uint64_t size) {
    size_t count;
    struct rp_vault_wanted *wanted = all_wanted(vault, &count);
    uint64_t newest_ms = 0;
    for (size_t i = count; i > 0; i--) {
        if (wanted[i - 1].index < size && wanted[i - 1].whole) {
            RP_TRY(place(vault, &wanted[i - 1]));
            newest_ms = RP_MAX(newest_ms, wanted[i - 1].time_ms);
            drop_at(vault, i - 1);
        }
    }
    return newest_ms > 0 ? rp_access_expire(vault->folder, newest_ms) : RP_OK;
}

static rp_err check_piece(const struct rp_vault *vault, const struct rp_vault_piece *piece,
                          struct rp_vault_wanted **ret_wanted, struct rp_diag *diag) {
    char path[RP_VAULT_PATH_MAX];
    unsigned long long time_ms = piece->time_ms;
    segment_path(vault, piece->time_ms, path);
    if (rp_file_exists(path)) {
        return rp_fail(diag, RP_ERR(DUPLICATE), "segment %llu is kept already", time_ms);
    }
    struct rp_vault_wanted *wanted = find_wanted(vault, piece->time_ms);
    if (!wanted) {
        return rp_fail(diag, RP_ERR(NOT_FOUND), "segment %llu, which no entry names", time_ms);
    }
    if (piece->total == 0 || piece->total > SEGMENT_MAX || piece->bytes.n == 0 ||
        piece->bytes.n > piece->total || piece->offset > piece->total - piece->bytes.n) {
        return rp_fail(diag, RP_ERR(TOO_LARGE), "segment %llu over its size", time_ms);
    }
    if (wanted->whole || piece->offset != wanted->bytes) {
        return rp_fail(diag, RP_ERR(CONFLICT),
                       "segment %llu from byte %llu on, where %llu are kept", time_ms,
                       (unsigned long long)piece->offset, (unsigned long long)wanted->bytes);
    }
    *ret_wanted = wanted;
    return RP_OK;
}

rp_err rp_vault_segment_fits(const struct rp_vault *vault, const struct rp_vault_piece *piece,
                             struct rp_diag *diag) {
    struct rp_vault_wanted *wanted;
    return check_piece(vault, piece, &wanted, diag);
}

/* All bytes came: are they those? */
static rp_err finish(struct rp_vault *vault, struct rp_vault_wanted *wanted, int fd,
                     struct rp_diag *diag) {
    struct rp_sha256 sum;
    struct rp_vault_size size;
    unsigned long long time_ms = wanted->time_ms;
    RP_TRY(rp_sha256_of_fd(fd, &sum));
    if (!rp_sha256_equal(&sum, &wanted->sha256)) {
        RP_TRY(rp_file_cut(fd, 0));
        wanted->bytes = 0;
        return rp_fail(diag, RP_ERR(CORRUPT), "segment %llu with other bytes than its entry says",
                       time_ms);
    }
    rp_err err = vault->disk->sync(vault->disk->ctx, fd);
    if (!rp_ok(err)) {
        wanted->bytes = 0; /* what the disk holds is unknown: it begins anew */
        rp_ignore(rp_file_cut(fd, 0));
        return err;
    }
    wanted->whole = true;
    RP_TRY(rp_vault_size(vault, (struct rp_tree){.kind = RP_TREE_OPERATOR}, &size, diag));
    return rp_vault_access_place(vault, size.covered);
}

rp_err rp_vault_segment(struct rp_vault *vault, const struct rp_vault_piece *piece,
                        struct rp_diag *diag) {
    char path[RP_VAULT_PATH_MAX];
    struct rp_vault_wanted *wanted = NULL;
    RP_TRY(check_piece(vault, piece, &wanted, diag));
    _cleanup_fd_ int fd = -1;
    part_path(vault, piece->time_ms, path);
    RP_TRY(rp_file_open_append(path, FILE_MODE, &fd));
    rp_err err = vault->disk->append(vault->disk->ctx, fd, piece->bytes);
    if (!rp_ok(err)) {
        rp_ignore(
            rp_file_cut(fd, wanted->bytes)); /* else the hash will not fit, and it begins anew */
        return err;
    }
    wanted->bytes += piece->bytes.n;
    return wanted->bytes == piece->total ? finish(vault, wanted, fd, diag) : RP_OK;
}

/* ---- at the start ---- */

static rp_err sweep_part(void *ctx, const char *name, bool is_folder) {
    const struct rp_vault *vault = ctx;
    char path[RP_VAULT_PATH_MAX];
    if (is_folder || !rp_view_ends(rp_view_from_cstr(name), part_suffix)) {
        return RP_OK;
    }
    rp_vault_path(vault, path, "journal/%.100s", name);
    return rp_file_remove(path);
}

static int64_t time_of(struct rp_log *log, uint64_t index, struct rp_arena *arena) {
    rp_view entry = {NULL, 0};
    struct rp_event_read event;
    rp_arena_reset(arena);
    bool good = rp_ok(rp_log_entry(log, index, arena, &entry)) &&
                rp_ok(rp_event_parse(entry, arena, &event));
    return good ? event.time_ms : 0;
}

/* The first entry that can name a segment of the last days, with two days' grace for clocks. */
static uint64_t first_of_these_days(struct rp_log *log, struct rp_arena *arena) {
    uint64_t low = 0, high = rp_log_size(log);
    int64_t since_ms = high > 0 ? time_of(log, high - 1, arena) - KEEP_MS - 2 * DAY_MS : 0;
    while (low < high) {
        uint64_t middle = low + (high - low) / 2;
        if (time_of(log, middle, arena) < since_ms) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static rp_err see_all(struct rp_vault *vault, struct rp_log *log) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ENTRY_ARENA);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    for (uint64_t i = first_of_these_days(log, arena); i < rp_log_size(log); i++) {
        rp_view entry = {NULL, 0};
        rp_arena_reset(arena);
        RP_TRY(rp_log_entry(log, i, arena, &entry));
        RP_TRY(rp_vault_access_see(vault, i, entry));
    }
    return RP_OK;
}

rp_err rp_vault_access_open(struct rp_vault *vault, struct rp_diag *diag) {
    char path[RP_VAULT_PATH_MAX];
    rp_vault_path(vault, path, "journal");
    RP_TRY(rp_folder_each(path, sweep_part, vault));
    rp_vault_path(vault, path, "operator/checkpoint");
    if (!rp_file_exists(path)) {
        return RP_OK;
    }
    struct rp_log *log = NULL;
    rp_vault_path(vault, path, "operator");
    RP_TRY(rp_log_open(path, (rp_view){NULL, 0}, &log, diag));
    rp_err err = see_all(vault, log);
    rp_log_free(log);
    return rp_ok(err) ? err : rp_fail(diag, err, "%s: an entry cannot be read", path);
}
