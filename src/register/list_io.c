/* list_io.c — pages of records, search, history, and a record as JSON.
 *
 * Without filters a page walks an index; with a field's filter the index of values leads. A search
 * answers the newest first and counts to a thousand at most.
 */
#include "base/assert.h"
#include "register/retention.h"
#include "register/words.h"

enum { MATCHES_COUNTED = 1000, QUESTION_MAX = 400 };

/* ?1 register, ?2 state or NULL, ?3 field to filter, ?4 its value, ?5 another, ?6 its value,
 * ?7 sort field, ?8 limit, ?9 offset. */
#define WHERE_STATE "r.register = ?1 AND (?2 IS NULL OR r.state = ?2)"
#define WHERE_OTHER                                                                                \
    " AND (?5 IS NULL OR EXISTS (SELECT 1 FROM register_value w WHERE w.record = r.row "           \
    "AND w.field = ?5 AND w.value = ?6))"
#define FROM_ALL " FROM register_record r WHERE " WHERE_STATE
#define FROM_STATE " FROM register_record r WHERE r.register = ?1 AND r.state = ?2"
#define FROM_FIELD                                                                                 \
    " FROM register_value v JOIN register_record r ON r.row = v.record "                           \
    "WHERE v.register = ?1 AND v.field = ?3 AND v.value = ?4 AND " WHERE_STATE WHERE_OTHER
#define FROM_SORTED                                                                                \
    " FROM register_value s JOIN register_record r ON r.row = s.record "                           \
    "WHERE s.register = ?1 AND s.field = ?7 AND " WHERE_STATE
#define OF_FIELD "(SELECT value FROM register_value z WHERE z.record = r.row AND z.field = ?7)"
#define PAGE " LIMIT ?8 OFFSET ?9"

/* Equals stand as they were made, so that each is on one page. */
#define SORTED(from, by, equals)                                                                   \
    (down ? "SELECT " RP_RECORD_COLUMNS from " ORDER BY " by " DESC, " equals " DESC" PAGE         \
          : "SELECT " RP_RECORD_COLUMNS from " ORDER BY " by " ASC, " equals " ASC" PAGE)
/* Where a record has no value it stands before all that have one. */
#define SORTED_BY_VALUE(from, by, equals)                                                          \
    (down ? "SELECT " RP_RECORD_COLUMNS from " ORDER BY " by " DESC NULLS LAST, " equals           \
            " DESC" PAGE                                                                           \
          : "SELECT " RP_RECORD_COLUMNS from " ORDER BY " by " ASC NULLS FIRST, " equals           \
            " ASC" PAGE)
#define BY_NUMBER(from)                                                                            \
    (down ? "SELECT " RP_RECORD_COLUMNS from " ORDER BY r.number DESC" PAGE                        \
          : "SELECT " RP_RECORD_COLUMNS from " ORDER BY r.number ASC" PAGE)

static const char *filtered_sql(rp_view sort, bool field_sort, bool down) {
    if (field_sort) {
        return SORTED_BY_VALUE(FROM_FIELD, OF_FIELD, "r.row");
    }
    if (rp_view_equal(sort, RP_VIEW("changed"))) {
        return SORTED(FROM_FIELD, "r.changed_ms", "r.row");
    }
    if (rp_view_equal(sort, RP_VIEW("state"))) {
        return SORTED(FROM_FIELD, "r.state", "r.row");
    }
    return BY_NUMBER(FROM_FIELD);
}

static const char *page_sql(const struct rp_query *query, bool field_sort) {
    bool down = query->descending;
    if (query->filter_count > 0) {
        return filtered_sql(query->sort, field_sort, down);
    }
    if (field_sort) {
        return SORTED_BY_VALUE(FROM_SORTED, "s.value", "s.record");
    }
    if (rp_view_equal(query->sort, RP_VIEW("changed"))) {
        return SORTED(FROM_ALL, "r.changed_ms", "r.row");
    }
    if (rp_view_equal(query->sort, RP_VIEW("state"))) {
        return down ? "SELECT " RP_RECORD_COLUMNS FROM_ALL " ORDER BY r.state DESC, r.number" PAGE
                    : "SELECT " RP_RECORD_COLUMNS FROM_ALL " ORDER BY r.state ASC, r.number" PAGE;
    }
    if (query->state.n > 0) {
        return BY_NUMBER(FROM_STATE);
    }
    return BY_NUMBER(FROM_ALL);
}

static void bind_filter(struct rp_row *row, int place, const struct rp_query *query, size_t i) {
    bool there = query->filter_count > i;
    rp_row_bind_text_or_null(
        row, place, there ? rp_view_from_cstr(query->filters[i].field) : (rp_view){NULL, 0});
    if (!there) {
        rp_row_bind_text_or_null(row, place + 1, (rp_view){NULL, 0});
        return;
    }
    const struct rp_field *field =
        rp_register_field(query->reg, rp_view_from_cstr(query->filters[i].field));
    uint64_t number = 0;
    if (field->type == RP_FIELD_NUMBER &&
        rp_view_to_u64(query->filters[i].value, INT64_MAX, &number)) {
        rp_row_bind_any_u64(row, place + 1, number);
    } else {
        rp_row_bind_text(row, place + 1, query->filters[i].value);
    }
}

static void bind_query(const struct rp_desk *desk, struct rp_row *row,
                       const struct rp_query *query) {
    rp_row_bind_text(row, 1, rp_desk_shelf(desk, query->reg));
    rp_row_bind_text_or_null(row, 2, query->state);
    if (query->filter_count > 0) {
        bind_filter(row, 3, query, 0);
        bind_filter(row, 5, query, 1);
    }
}

static rp_err gather(struct rp_desk *desk, struct rp_row *row, size_t max,
                     struct rp_page *ret_page) {
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more && ret_page->count < max) {
        RP_TRY(rp_row_entry(desk, row, &ret_page->records[ret_page->count]));
        ret_page->count++;
        RP_TRY(rp_row_next(row, &more));
    }
    return RP_OK;
}

static rp_err read_page(struct rp_desk *desk, const struct rp_query *query, bool field_sort,
                        struct rp_page *page) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(desk->db, page_sql(query, field_sort), &row));
    bind_query(desk, row, query);
    if (field_sort) {
        rp_row_bind_text(row, 7, query->sort);
    }
    rp_row_bind_u64(row, 8, query->count);
    rp_row_bind_u64(row, 9, query->from);
    return gather(desk, row, query->count, page);
}

static rp_err count_page(struct rp_desk *desk, const struct rp_query *query, uint64_t *ret_total) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(rp_db_query(
        desk->db,
        query->filter_count > 0 ? "SELECT count(*)" FROM_FIELD : "SELECT count(*)" FROM_ALL, &row));
    bind_query(desk, row, query);
    RP_TRY(rp_row_first(row));
    *ret_total = rp_row_u64(row, 0);
    return RP_OK;
}

/* ---- search ---- */

static rp_err search(struct rp_desk *desk, const struct rp_query *query, struct rp_page *page) {
    _cleanup_(rp_buf_done) struct rp_buf question = rp_buf_new(QUESTION_MAX);
    _cleanup_(rp_row_donep) struct rp_row *row = NULL, *total = NULL;
    rp_view in =
        query->reg ? rp_view_from_cstr(query->reg->id) : (rp_view){NULL, 0}; /* else in all */
    RP_TRY(rp_words_question(desk->db, query, &question));
    rp_ignore(rp_words_settle(desk->db)); /* what is in the index is found all the same */
    RP_TRY(rp_db_query(desk->db, rp_words_page_sql(desk->db), &row));
    rp_row_bind_text(row, 1, rp_buf_view(&question));
    rp_row_bind_u64(row, 2, query->count);
    rp_row_bind_u64(row, 3, query->from);
    rp_row_bind_text_or_null(row, 4, in);
    RP_TRY(gather(desk, row, query->count, page));
    RP_TRY(rp_db_query(desk->db, rp_words_count_sql(desk->db), &total));
    rp_row_bind_text(total, 1, rp_buf_view(&question));
    rp_row_bind_u64(total, 2, MATCHES_COUNTED);
    rp_row_bind_text_or_null(total, 4, in);
    RP_TRY(rp_row_first(total));
    page->total = rp_row_u64(total, 0);
    return RP_OK;
}

static rp_err check_query(struct rp_desk *desk, const struct rp_query *query, bool *ret_by_field) {
    static const rp_view common[] = {RP_VIEW_INIT(""), RP_VIEW_INIT("number"),
                                     RP_VIEW_INIT("changed"), RP_VIEW_INIT("state")};
    for (size_t i = 0; i < query->filter_count; i++) {
        const struct rp_field *field =
            rp_register_field(query->reg, rp_view_from_cstr(query->filters[i].field));
        if (!field || !field->indexed || i >= 2) {
            return rp_fail(desk->diag, RP_ERR(INVALID), "filter: %s", query->filters[i].field);
        }
    }
    for (size_t i = 0; i < RP_COUNT_OF(common); i++) {
        if (rp_view_equal(query->sort, common[i])) {
            *ret_by_field = false;
            return RP_OK;
        }
    }
    const struct rp_field *field = rp_register_field(query->reg, query->sort);
    *ret_by_field = true;
    return field && field->indexed
               ? RP_OK
               : rp_fail(desk->diag, RP_ERR(INVALID), "sort: %.*s", RP_FMT(query->sort));
}

rp_err rp_desk_list(struct rp_desk *desk, const struct rp_query *query, struct rp_page *ret_page) {
    RP_ASSERT(query->count > 0 && query->count <= RP_PAGE_OF_RECORDS_MAX);
    bool by_field = false;
    struct rp_page page = {.records =
                               rp_arena_array(desk->arena, query->count, sizeof *page.records)};
    if (!page.records) {
        return RP_ERR(TOO_LARGE);
    }
    if (query->text.n > 0) {
        RP_TRY(desk->canary ? RP_ERR(DENIED) : search(desk, query, &page));
    } else {
        RP_TRY(check_query(desk, query, &by_field));
        RP_TRY(read_page(desk, query, by_field, &page));
        RP_TRY(count_page(desk, query, &page.total));
    }
    *ret_page = page;
    return RP_OK;
}

/* ---- as JSON ---- */

enum { NUMBER_MAX_BITS = 53 }; /* beyond, JSON's numbers are not exact */

/* What it has no value for is left out, as an empty field is. */
static void add_computed(struct rp_desk *desk, struct rp_json *json, const struct rp_facts *facts,
                         const struct rp_field *field) {
    const double most = (double)(UINT64_C(1) << NUMBER_MAX_BITS);
    struct rp_asking asking = rp_desk_asking(desk);
    struct rp_value computed = {0};
    if (!rp_ok(rp_expr_value(field->formula, facts, &asking, &computed))) {
        return;
    }
    if (computed.kind == RP_VALUE_BOOL) {
        rp_json_add_bool(desk->arena, json, field->id, computed.boolean);
    } else if (computed.kind == RP_VALUE_NUMBER && computed.number >= -most &&
               computed.number <= most) {
        const struct rp_json number = {.kind = RP_JSON_NUMBER, .number = computed.number};
        rp_json_add(desk->arena, json, field->id, rp_json_like(desk->arena, &number));
    } else if (computed.kind == RP_VALUE_TEXT) {
        rp_json_add_string(desk->arena, json, field->id, computed.text);
    } else if (computed.kind == RP_VALUE_TIME) {
        rp_json_add_cstr(desk->arena, json, field->id, rp_time_print(computed.ms / 1000).s);
    }
}

static void add_value(struct rp_desk *desk, struct rp_json *json, const struct rp_entry *record,
                      const struct rp_field *field) {
    const struct rp_facts *facts = &record->facts;
    const struct rp_json *value =
        rp_json_get(field->sealed ? facts->secret : facts->open, field->id);
    if (field->type == RP_FIELD_COMPUTED) {
        add_computed(desk, json, facts, field);
    } else if (value) {
        rp_json_add(desk->arena, json, field->id, rp_json_like(desk->arena, value));
    }
}

static void add_clock(struct rp_desk *desk, struct rp_json *list, const struct rp_entry *record,
                      const struct rp_deadline *d) {
    struct rp_clock clock;
    struct rp_clock_key key = {record->facts.id, rp_view_from_cstr(d->id)};
    rp_view reason = {NULL, 0};
    if (!rp_ok(rp_clock_find(desk->db, &key, &clock))) {
        return;
    }
    bool past = clock.due_ms <= rp_env_now_ms(desk->env);
    struct rp_json *one = rp_json_add_object(desk->arena, list, NULL);
    rp_json_add_cstr(desk->arena, one, "id", d->id);
    rp_json_add_cstr(desk->arena, one, "label", d->label.s[desk->lang]);
    rp_json_add_cstr(desk->arena, one, "due_at", rp_time_print(clock.due_ms / 1000).s);
    rp_json_add_bool(desk->arena, one, "overdue", clock.paused_ms == 0 && past);
    rp_json_add_bool(desk->arena, one, "paused", clock.paused_ms != 0);
    if (clock.paused_ms != 0 && rp_ok(rp_clock_reason(desk->db, &key, desk->arena, &reason))) {
        rp_json_add_string(desk->arena, one, "reason", reason);
    }
}

static void add_clocks(struct rp_desk *desk, struct rp_json *json, const struct rp_entry *record) {
    const struct rp_register *reg = record->facts.reg;
    struct rp_json *list = rp_json_add_array(desk->arena, json, "deadlines");
    for (size_t i = 0; i < reg->deadline_count; i++) {
        add_clock(desk, list, record, &reg->deadlines[i]);
    }
    if (rp_entry_is_closed(record)) {
        add_clock(desk, list, record, &rp_retention_deadline);
    }
}

struct rp_json *rp_desk_show(struct rp_desk *desk, const struct rp_entry *record) {
    const struct rp_facts *facts = &record->facts;
    struct rp_json *json = rp_json_object(desk->arena);
    rp_json_add_string(desk->arena, json, "id", rp_text_of_id(&facts->id_text));
    rp_json_add_cstr(desk->arena, json, "register", facts->reg->id);
    rp_json_add_u64(desk->arena, json, "number", facts->number);
    rp_json_add_string(desk->arena, json, "state", facts->state);
    rp_json_add_u64(desk->arena, json, "version", record->version);
    rp_json_add_string(desk->arena, json, "author", rp_text_of_id(&facts->author_text));
    rp_json_add_cstr(desk->arena, json, "created", rp_time_print(facts->created_ms / 1000).s);
    rp_json_add_cstr(desk->arena, json, "changed", rp_time_print(facts->changed_ms / 1000).s);
    if (facts->example) {
        rp_json_add_bool(desk->arena, json, "example", true);
    }
    for (size_t i = 0; i < facts->reg->field_count; i++) {
        add_value(desk, json, record, &facts->reg->fields[i]);
    }
    add_clocks(desk, json, record);
    return json;
}

/* What a key signed stands before the fields, for no field's name begins with a colon. */
static struct rp_json *take_evidence(struct rp_json *secret) {
    struct rp_json *first = secret->first;
    if (!first || !rp_view_equal(first->key, RP_VIEW(RP_EVIDENCE_KEY))) {
        return NULL;
    }
    secret->first = first->next;
    secret->last = first->next ? secret->last : NULL;
    secret->count--;
    first->next = NULL;
    return first;
}

static rp_err add_change(struct rp_desk *desk, const struct rp_entry *record, struct rp_row *row,
                         struct rp_json *list) {
    struct rp_json *change = NULL, *secret = NULL;
    rp_view text = rp_row_text(row, 0), sealed = rp_row_blob(row, 1);
    struct rp_sha256 digest = rp_sha256_of2(text, sealed);
    if (!rp_ok(rp_json_parse(text, RP_JSON_LIMITS, desk->arena, &change, NULL)) ||
        change->kind != RP_JSON_OBJECT) {
        return RP_ERR(CORRUPT);
    }
    if (sealed.n > 0) {
        _cleanup_(rp_buf_done) struct rp_buf plain = rp_buf_new(4 * RP_RECORD_JSON_MAX);
        RP_TRY(rp_entry_open(desk, record->facts.id, RP_VIEW("register-change"), sealed, &plain));
        RP_TRY(rp_json_parse(rp_buf_view(&plain), RP_JSON_LIMITS, desk->arena, &secret, NULL));
        struct rp_json *evidence = take_evidence(secret);
        if (evidence) {
            rp_json_add(desk->arena, change, "signature_evidence", evidence);
        }
        if (secret->count > 0) {
            rp_json_add(desk->arena, change, "sealed_fields", secret);
        }
    }
    char hex[2 * RP_SHA256];
    rp_hex_print(rp_view_of(digest.b, sizeof digest.b), hex);
    rp_json_add_string(desk->arena, change, "change_sha256", rp_view_of(hex, sizeof hex));
    return rp_json_add(desk->arena, list, NULL, change) ? RP_OK : RP_ERR(TOO_LARGE);
}

rp_err rp_desk_history(struct rp_desk *desk, const struct rp_entry *record,
                       struct rp_json **ret_list) {
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    struct rp_json *list = rp_json_array(desk->arena);
    RP_TRY(rp_db_query(
        desk->db, "SELECT change, sealed FROM register_change WHERE record = ?1 ORDER BY version",
        &row));
    rp_row_bind_u64(row, 1, record->row);
    bool more = false;
    RP_TRY(rp_row_next(row, &more));
    while (more) {
        RP_TRY(add_change(desk, record, row, list));
        RP_TRY(rp_row_next(row, &more));
    }
    *ret_list = list;
    return RP_OK;
}
