#include "shield/lists_io.h"

#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/id.h"
#include "crypto/hash.h"
#include "os/file.h"
#include "os/shm.h"

enum { TABLE_MODE = 0640, ARENA_BYTES = 64 << 20, NETWORK_TEXT = RP_IP_TEXT_MAX + 12 };

static const char table_path[] = "run/lists.tab";

/* ---- entries and rows ---- */

static rp_view print_network(const struct rp_list_entry *entry, char out[static NETWORK_TEXT]) {
    if (entry->any_address) {
        return RP_VIEW("");
    }
    char ip[RP_IP_TEXT_MAX];
    unsigned before =
        rp_ip_is_v4(&entry->network.ip) && entry->network.bits >= RP_IP_V4_BITS ? RP_IP_V4_BITS : 0;
    RP_ASSERT(rp_ip_print(&entry->network.ip, ip) > 0);
    int n = snprintf(out, NETWORK_TEXT, "%s/%u", ip, entry->network.bits - before);
    RP_ASSERT(n > 0 && n < NETWORK_TEXT);
    return rp_view_of(out, (size_t)n);
}

/* Lengths before texts: nothing runs into its neighbour. */
rp_id rp_list_id(const struct rp_list_entry *entry) {
    char network[NETWORK_TEXT];
    const rp_view parts[] = {print_network(entry, network), entry->path, entry->method,
                             entry->header, entry->value};
    uint8_t text[RP_COUNT_OF(parts) * (1 + RP_LIST_TEXT_MAX)];
    size_t n = 0;
    for (size_t i = 0; i < RP_COUNT_OF(parts); i++) {
        RP_ASSERT(parts[i].n <= RP_LIST_TEXT_MAX); /* entries were checked */
        text[n++] = (uint8_t)parts[i].n;
        if (parts[i].n > 0) {
            memcpy(text + n, parts[i].p, parts[i].n);
        }
        n += parts[i].n;
    }
    struct rp_sha256 hash = rp_sha256_of(rp_view_of(text, n));
    rp_id id;
    memcpy(id.b, hash.b, sizeof id.b);
    return id;
}

#define COLUMNS                                                                                    \
    "id, action, network, path, method, header, value, reason, who, created_ms, expires_ms"

static rp_err read_row(struct rp_row *row, struct rp_list_row *ret_row) {
    struct rp_list_row out = {.id = rp_row_id(row, 0),
                              .network = rp_row_text(row, 2),
                              .reason = rp_row_text(row, 7),
                              .who = rp_row_text(row, 8),
                              .created_ms = (int64_t)rp_row_u64(row, 9),
                              .expires_ms = (int64_t)rp_row_u64(row, 10)};
    out.entry =
        (struct rp_list_entry){.action = rp_row_u64(row, 1) == 0 ? RP_LIST_ALLOW : RP_LIST_DENY,
                               .any_address = out.network.n == 0,
                               .path = rp_row_text(row, 3),
                               .method = rp_row_text(row, 4),
                               .header = rp_row_text(row, 5),
                               .value = rp_row_text(row, 6),
                               /* Until it has run out to the last millisecond. */
                               .expires_s = (out.expires_ms + 999) / 1000};
    if (!out.entry.any_address && !rp_ok(rp_ip_net_parse(out.network, &out.entry.network))) {
        return RP_ERR(CORRUPT);
    }
    *ret_row = out;
    return RP_OK;
}

/* ---- changes ---- */

static rp_err one_more(struct rp_db *db) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "UPDATE gate_lists SET generation = generation + 1", &row));
    return rp_row_run(row, NULL);
}

static rp_err emit(const struct rp_env *env, struct rp_db *db, const char *change,
                   const struct rp_list_change *what, rp_id entry, size_t count) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(RP_EVENT_MAX);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_event *event =
        rp_event_new(arena, RP_EVENT_GATE_LISTED, rp_env_now_ms(env), RP_ROLE_CORE);
    rp_event_add_text(event, "change", rp_view_from_cstr(change));
    rp_event_add_text(event, "action",
                      what->action == RP_LIST_ALLOW ? RP_VIEW("allow") : RP_VIEW("deny"));
    if (count == 1) {
        rp_event_add_id(event, "entry", entry);
    }
    rp_event_add_u64(event, "count", count);
    rp_event_add_text(event, "reason", what->reason);
    rp_event_add_text(event, "by", what->who);
    if (what->expires_ms > 0) {
        rp_event_add_u64(event, "expires", (uint64_t)what->expires_ms);
    }
    return rp_db_emit(db, event);
}

struct numbered {
    rp_id id;
    const struct rp_list_entry *entry;
};

struct putting {
    const struct rp_env *env;
    const struct rp_list_change *change;
    const struct numbered *entries; /* by their ids: rows that follow each other are cheap */
    size_t count;
    int64_t now_ms;
    struct rp_diag *diag;
};

static int by_id(const void *a, const void *b) {
    const struct numbered *left = a, *right = b;
    return __builtin_memcmp(left->id.b, right->id.b, sizeof left->id.b);
}

static const struct numbered *number(struct rp_arena *arena, const struct rp_list_entry *entries,
                                     size_t count) {
    struct numbered *numbered = rp_arena_array(arena, count, sizeof *numbered);
    for (size_t i = 0; numbered && i < count; i++) {
        numbered[i] = (struct numbered){rp_list_id(&entries[i]), &entries[i]};
    }
    if (numbered) {
        qsort(numbered, count, sizeof *numbered, by_id);
    }
    return numbered;
}

static rp_err put_one(struct rp_db *db, const struct putting *p, const struct numbered *numbered) {
    const struct rp_list_entry *entry = numbered->entry;
    char network[NETWORK_TEXT];
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "INSERT INTO gate_entry (" COLUMNS ") "
                       "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11) "
                       "ON CONFLICT (id) DO UPDATE SET action = ?2, reason = ?8, who = ?9, "
                       "created_ms = ?10, expires_ms = ?11",
                       &row));
    rp_row_bind_id(row, 1, numbered->id);
    rp_row_bind_u64(row, 2, p->change->action == RP_LIST_ALLOW ? 0 : 1);
    rp_row_bind_text(row, 3, print_network(entry, network));
    rp_row_bind_text(row, 4, entry->path.n ? entry->path : RP_VIEW(""));
    rp_row_bind_text(row, 5, entry->method.n ? entry->method : RP_VIEW(""));
    rp_row_bind_text(row, 6, entry->header.n ? entry->header : RP_VIEW(""));
    rp_row_bind_text(row, 7, entry->value.n ? entry->value : RP_VIEW(""));
    rp_row_bind_text(row, 8, p->change->reason);
    rp_row_bind_text(row, 9, p->change->who);
    rp_row_bind_u64(row, 10, (uint64_t)p->now_ms);
    rp_row_bind_u64(row, 11, (uint64_t)p->change->expires_ms);
    return rp_row_run(row, NULL);
}

/* All of them must fit the table that will be made of them. */
static rp_err check_room(struct rp_db *db, struct rp_diag *diag) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db,
                       "SELECT count(*), "
                       "count(*) FILTER (WHERE action = 0 AND path || method || header <> ''), "
                       "count(*) FILTER (WHERE action = 1 AND path || method || header <> '') "
                       "FROM gate_entry",
                       &row));
    RP_TRY(rp_row_first(row));
    if (rp_row_u64(row, 0) > RP_LIST_ENTRIES_MAX) {
        return rp_fail(diag, RP_ERR(TOO_LARGE), "at most %d entries in all", RP_LIST_ENTRIES_MAX);
    }
    if (rp_row_u64(row, 1) > RP_LIST_RULES_MAX || rp_row_u64(row, 2) > RP_LIST_RULES_MAX) {
        return rp_fail(diag, RP_ERR(TOO_LARGE),
                       "at most %d entries of an action with a path, a method or a header",
                       RP_LIST_RULES_MAX);
    }
    return RP_OK;
}

static rp_err put_all(struct rp_db *db, void *ctx) {
    const struct putting *p = ctx;
    for (size_t i = 0; i < p->count; i++) {
        RP_TRY(put_one(db, p, &p->entries[i]));
    }
    RP_TRY(check_room(db, p->diag));
    RP_TRY(one_more(db));
    return emit(p->env, db, p->count == 1 ? "put" : "import", p->change, p->entries[0].id,
                p->count);
}

static rp_err check_change(const struct rp_env *env, const struct rp_list_change *change,
                           struct rp_diag *diag) {
    if (change->reason.n == 0 || change->reason.n > RP_LIST_TEXT_MAX) {
        return rp_fail(diag, RP_ERR(INVALID), "a reason of 1 to %d bytes", RP_LIST_TEXT_MAX);
    }
    if (change->who.n == 0 || change->who.n > RP_LIST_WHO_MAX) {
        return rp_fail(diag, RP_ERR(INVALID), "who: 1 to %d bytes", RP_LIST_WHO_MAX);
    }
    if (change->expires_ms != 0 && change->expires_ms <= rp_env_now_ms(env)) {
        return rp_fail(diag, RP_ERR(INVALID), "it would have ended already");
    }
    return RP_OK;
}

rp_err rp_lists_put(const struct rp_env *env, struct rp_db *db, const struct rp_list_change *change,
                    const struct rp_list_entry *entries, size_t count, rp_id *ret_id,
                    struct rp_diag *diag) {
    RP_ASSERT(env != NULL && db != NULL && change->action < RP_LIST_ACTION_COUNT);
    RP_TRY(check_change(env, change, diag));
    if (count == 0 || count > RP_LIST_IMPORT_MAX) {
        return rp_fail(diag, count > 0 ? RP_ERR(TOO_LARGE) : RP_ERR(INVALID), "1 to %d entries",
                       RP_LIST_IMPORT_MAX);
    }
    for (size_t i = 0; i < count; i++) {
        RP_TRY(rp_list_entry_check(&entries[i], diag));
    }
    _cleanup_(rp_arena_freep) struct rp_arena *arena =
        rp_arena_new(count * sizeof(struct numbered) + 64);
    struct putting p = {.env = env,
                        .change = change,
                        .entries = arena ? number(arena, entries, count) : NULL,
                        .count = count,
                        .now_ms = rp_env_now_ms(env),
                        .diag = diag};
    if (!p.entries) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_db_transact(db, put_all, &p));
    *ret_id = p.entries[0].id;
    return RP_OK;
}

struct removing {
    const struct rp_env *env;
    rp_id id;
    rp_view who;
};

static rp_err remove_one(struct rp_db *db, void *ctx) {
    const struct removing *r = ctx;
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "DELETE FROM gate_entry WHERE id = ?1 RETURNING action, reason", &row));
    rp_row_bind_id(row, 1, r->id);
    RP_TRY(rp_row_first(row));
    char reason[RP_LIST_TEXT_MAX];
    rp_view was = rp_view_sub(rp_row_text(row, 1), 0, sizeof reason);
    memcpy(reason, was.p ? was.p : (const uint8_t *)"", was.n);
    struct rp_list_change what = {.action = rp_row_u64(row, 0) == 0 ? RP_LIST_ALLOW : RP_LIST_DENY,
                                  .reason = rp_view_of(reason, was.n),
                                  .who = r->who};
    rp_row_done(rp_take(&row));
    RP_TRY(one_more(db));
    return emit(r->env, db, "remove", &what, r->id, 1);
}

rp_err rp_lists_remove(const struct rp_env *env, struct rp_db *db, rp_id id, rp_view who) {
    struct removing r = {.env = env, .id = id, .who = who};
    if (who.n == 0 || who.n > RP_LIST_WHO_MAX) {
        return RP_ERR(INVALID);
    }
    return rp_db_transact(db, remove_one, &r);
}

struct expiring {
    const struct rp_env *env;
    enum rp_list_action action;
    size_t count;
};

static rp_err expire_some(struct rp_db *db, void *ctx) {
    struct expiring *e = ctx;
    struct rp_row *row = NULL;
    uint64_t changed = 0;
    RP_TRY(rp_db_query(
        db, "DELETE FROM gate_entry WHERE action = ?1 AND expires_ms > 0 AND expires_ms <= ?2",
        &row));
    rp_row_bind_u64(row, 1, e->action == RP_LIST_ALLOW ? 0 : 1);
    rp_row_bind_u64(row, 2, (uint64_t)rp_env_now_ms(e->env));
    RP_TRY(rp_row_run(row, &changed));
    e->count += changed;
    if (changed == 0) {
        return RP_OK;
    }
    struct rp_list_change what = {
        .action = e->action, .reason = RP_VIEW("expired"), .who = RP_VIEW("core")};
    RP_TRY(one_more(db));
    return emit(e->env, db, "expire", &what, (rp_id){{0}}, (size_t)changed);
}

rp_err rp_lists_expire(const struct rp_env *env, struct rp_db *db, size_t *ret_count) {
    struct expiring e = {.env = env};
    for (unsigned i = 0; i < RP_LIST_ACTION_COUNT; i++) {
        e.action = (enum rp_list_action)i;
        RP_TRY(rp_db_transact(db, expire_some, &e));
    }
    *ret_count = e.count;
    return RP_OK;
}

/* ---- reading ---- */

rp_err rp_lists_each(struct rp_db *db, rp_id after, size_t limit,
                     rp_err (*each)(void *ctx, const struct rp_list_row *row), void *ctx) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT " COLUMNS " FROM gate_entry WHERE id > ?1 ORDER BY id LIMIT ?2",
                       &row));
    rp_row_bind_blob(row, 1, rp_view_of(after.b, sizeof after.b));
    rp_row_bind_u64(row, 2, limit);
    for (bool more = true;;) {
        struct rp_list_row one;
        RP_TRY(rp_row_next(row, &more));
        if (!more) {
            return RP_OK;
        }
        RP_TRY(read_row(row, &one));
        RP_TRY(each(ctx, &one));
    }
}

/* ---- the table ---- */

static rp_err number_of(struct rp_db *db, const char *sql, uint64_t *ret_number) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, sql, &row));
    RP_TRY(rp_row_first(row));
    *ret_number = rp_row_u64(row, 0);
    return RP_OK;
}

static bool stands(uint64_t generation) {
    struct rp_shm table = {0};
    bool same = rp_ok(rp_shm_open(table_path, false, 0, &table)) &&
                rp_ok(rp_lists_check(table.p, table.n)) &&
                rp_lists_generation(table.p) == generation;
    rp_shm_done(&table);
    return same;
}

static rp_err add_to_table(void *ctx, const struct rp_list_row *row) {
    return rp_lists_add(ctx, &row->entry);
}

rp_err rp_lists_publish(struct rp_db *db, bool always) {
    uint64_t generation = 0, count = 0;
    RP_TRY(number_of(db, "SELECT generation FROM gate_lists", &generation));
    if (!always && stands(generation)) {
        return RP_OK;
    }
    RP_TRY(number_of(db, "SELECT count(*) FROM gate_entry", &count));
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(ARENA_BYTES);
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new(RP_LIST_TABLE_MAX);
    struct rp_lists_builder *builder = arena ? rp_lists_builder_new(arena, (size_t)count) : NULL;
    if (!builder) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_lists_each(db, (rp_id){{0}}, RP_LIST_ENTRIES_MAX, add_to_table, builder));
    RP_TRY(rp_lists_finish(builder, generation, &out));
    return rp_file_replace(table_path, TABLE_MODE, rp_buf_view(&out));
}
