/* spaces.c — what every reading and writing of a record goes by: the handle and its place, labels,
 * events, and how much a tenant may hold.
 */
#include "spaces/spaces.h"

#include "base/assert.h"
#include "base/checked.h"
#include "spaces/internal.h"

enum { EVENT_ARENA = 64 * 1024 };

static const char *const label_names[] = {[RP_LABEL_NONE] = "none",
                                          [RP_LABEL_PUBLIC] = "public",
                                          [RP_LABEL_INTERNAL] = "internal",
                                          [RP_LABEL_PERSONAL] = "personal",
                                          [RP_LABEL_SENSITIVE] = "sensitive"};
_Static_assert(RP_COUNT_OF(label_names) == RP_LABEL_COUNT, "a name for each label");

const char *rp_label_name(enum rp_label label) {
    RP_ASSERT((unsigned)label < RP_LABEL_COUNT);
    return label_names[label];
}

bool rp_label_of(rp_view name, enum rp_label *ret_label) {
    for (enum rp_label label = RP_LABEL_PUBLIC; label < RP_LABEL_COUNT; label++) {
        if (rp_view_equal(name, rp_view_from_cstr(label_names[label]))) {
            *ret_label = label;
            return true;
        }
    }
    return false;
}

/*= S66 */ /* the handle and the database must name the same tenant */
void rp_space_check(const struct rp_space *space) {
    RP_ASSERT(space != NULL && space->key != NULL);
    RP_ASSERT(!rp_id_is_none(space->tenant));
    RP_ASSERT(rp_id_equal(rp_db_tenant(space->db), space->tenant));
    RP_ASSERT(space->app.n > 0 && space->app.n <= 32);
}

struct rp_record_place rp_space_place(const struct rp_space *space, rp_view collection,
                                      const struct rp_record *record) {
    return (struct rp_record_place){.tenant = space->tenant,
                                    .app = space->app,
                                    .collection = collection,
                                    .id = record->id,
                                    .version = record->version,
                                    .changed_ms = record->changed_ms,
                                    .trashed_ms = record->trashed_ms,
                                    .label = record->label};
}

/* ---- events ---- */

static void add_place(struct rp_event *event, const struct rp_record_place *place) {
    rp_event_add_id(event, "tenant", place->tenant);
    rp_event_add_text(event, "collection", place->collection);
    rp_event_add_id(event, "record", place->id);
}

/*= S114 */ /* every change of a record is an event, in the same transaction */
rp_err rp_space_emit(const struct rp_space *space, enum rp_event_kind kind,
                     const struct rp_record_place *place) {
    struct rp_arena *arena = rp_arena_new(EVENT_ARENA);
    struct rp_event *event =
        arena ? rp_event_new(arena, kind, rp_env_now_ms(space->env), RP_ROLE_CORE) : NULL;
    rp_err err = RP_ERR(NO_MEMORY);
    if (event != NULL) {
        add_place(event, place);
        if (!rp_id_is_none(space->person)) { /* else the machine's owner, by command line */
            rp_event_add_id(event, "person", space->person);
        }
        rp_event_add_text(event, "app", place->app);
        rp_event_add_u64(event, "version", place->version);
        err = rp_db_emit(space->db, event);
    }
    rp_arena_free(arena);
    return err;
}

struct corrupt {
    const struct rp_space *space;
    struct rp_record_place place;
};

static rp_err emit_corrupt(struct rp_db *db, void *ctx) {
    const struct corrupt *corrupt = ctx;
    struct rp_arena *arena = rp_arena_new(EVENT_ARENA);
    struct rp_event *event = arena ? rp_event_new(arena, RP_EVENT_RECORD_CORRUPT,
                                                  rp_env_now_ms(corrupt->space->env), RP_ROLE_CORE)
                                   : NULL;
    rp_err err = RP_ERR(NO_MEMORY);
    if (event != NULL) {
        add_place(event, &corrupt->place);
        err = rp_db_emit(db, event);
    }
    rp_arena_free(arena);
    return err;
}

/* That the event finds no room does not make the record any better. */
rp_err rp_space_tell_corrupt(const struct rp_space *space, rp_view collection, rp_id id) {
    struct rp_record record = {.id = id};
    struct corrupt corrupt = {space, rp_space_place(space, collection, &record)};
    rp_ignore(rp_db_transact(space->db, emit_corrupt, &corrupt));
    return RP_ERR(CORRUPT);
}

/* ---- what a tenant may hold ---- */

rp_err rp_space_use(struct rp_db *db, struct rp_space_use *ret_use) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(db, "SELECT records, bytes FROM space_use", &row));
    RP_TRY(rp_row_first(row));
    *ret_use = (struct rp_space_use){rp_row_u64(row, 0), rp_row_u64(row, 1)};
    return RP_OK;
}

rp_err rp_space_count_in(const struct rp_space *space, uint64_t records, uint64_t bytes,
                         struct rp_diag *diag) {
    struct rp_space_use use = {0};
    RP_TRY(rp_space_use(space->db, &use));
    if (space->records_max != 0 && use.records + records > space->records_max) {
        return rp_fail(diag, RP_ERR(TOO_LARGE),
                       "this organisation holds %llu records, the trash with them, and may hold "
                       "%llu: delete some, or ask the operator for more",
                       (unsigned long long)use.records, (unsigned long long)space->records_max);
    }
    if (space->bytes_max != 0 && use.bytes + bytes > space->bytes_max) {
        return rp_fail(diag, RP_ERR(TOO_LARGE),
                       "this organisation holds %llu bytes, earlier versions with them, and may "
                       "hold %llu: delete some, or ask the operator for more",
                       (unsigned long long)use.bytes, (unsigned long long)space->bytes_max);
    }
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(space->db, "UPDATE space_use SET records = records + ?1, bytes = bytes + ?2",
                       &row));
    rp_row_bind_u64(row, 1, records);
    rp_row_bind_u64(row, 2, bytes);
    return rp_row_run(row, NULL);
}
