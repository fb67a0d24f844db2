/* retiring_io.c — which records retention takes by a given day, before it does. */
#include "base/assert.h"
#include "register/retention.h"

struct retiring {
    rp_id id;
    int64_t at_ms;
};

static rp_err find_retiring(struct rp_desk *desk, int64_t by_ms, struct retiring *list,
                            size_t *ret_count) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    bool more = false;
    RP_TRY(rp_db_query(desk->db,
                       "SELECT subject, next_ms FROM clock WHERE name = ?1 AND next_ms <= ?2 "
                       "ORDER BY next_ms, subject LIMIT ?3",
                       &row));
    rp_row_bind_text(row, 1, RP_VIEW(RP_RETENTION_CLOCK));
    rp_row_bind_u64(row, 2, (uint64_t)by_ms);
    rp_row_bind_u64(row, 3, RP_RETIRING_MAX);
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        RP_ASSERT(*ret_count < RP_RETIRING_MAX);
        list[(*ret_count)++] = (struct retiring){rp_row_id(row, 0), (int64_t)rp_row_u64(row, 1)};
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}

static rp_err describe(struct rp_desk *desk, const struct retiring *one, struct rp_json *list) {
    struct rp_entry record;
    bool named = false;
    RP_TRY(rp_entry_by_subject(desk, one->id, &record));
    RP_TRY(rp_entry_is_named(desk, &record, &named));
    struct rp_json *json = rp_json_add_object(desk->arena, list, NULL);
    rp_json_add_cstr(desk->arena, json, "register", record.facts.reg->id);
    rp_json_add_string(desk->arena, json, "id", rp_text_of_id(&record.facts.id_text));
    rp_json_add_u64(desk->arena, json, "number", record.facts.number);
    rp_json_add_cstr(desk->arena, json, "at", rp_time_print(one->at_ms / 1000).s);
    rp_json_add_cstr(desk->arena, json, "what", named ? "emptied" : "destroyed");
    return json ? RP_OK : RP_ERR(TOO_LARGE);
}

rp_err rp_desk_retiring(struct rp_desk *desk, int64_t by_ms, struct rp_json **ret_list) {
    RP_ASSERT(desk != NULL && desk->key != NULL && ret_list != NULL);
    struct retiring *found = rp_arena_array(desk->arena, RP_RETIRING_MAX, sizeof *found);
    struct rp_json *list = rp_json_array(desk->arena);
    size_t count = 0;
    if (!found || !list) {
        return RP_ERR(TOO_LARGE);
    }
    RP_TRY(find_retiring(desk, by_ms, found, &count));
    for (size_t i = 0; i < count; i++) {
        rp_err err = describe(desk, &found[i], list);
        if (!rp_is(err, RP_E_CORRUPT) && !rp_is(err, RP_E_NOT_FOUND)) {
            RP_TRY(err); /* an altered one stays, and is told elsewhere */
        }
    }
    *ret_list = list;
    return RP_OK;
}
