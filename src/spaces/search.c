/* search.c — exact search over sealed documents: a keyed hash of each declared field's value.
 *
 * Who holds the file sees which records of a collection share a value, and nothing of the value.
 */
#include "base/assert.h"
#include "base/checked.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "ipc/pack.h"
#include "spaces/internal.h"
#include "wire/json.h"

enum {
    SETTINGS_MAX = 4096,
    INFO_MAX = 512,
    FIELD_MAX = 64,
    PLACE_MAX = 256,
    INDEX_ARENA = 32 << 20
};

/* ---- which fields ---- */

static struct rp_buf settings_place(const struct rp_space *space, rp_view collection) {
    struct rp_buf aad = rp_buf_new(PLACE_MAX);
    rp_pack_bytes(&aad, RP_VIEW("collection"));
    rp_pack_id(&aad, space->tenant);
    rp_pack_bytes(&aad, space->app);
    rp_pack_bytes(&aad, collection);
    return aad;
}

static rp_err parse_settings(rp_view text, struct rp_arena *arena,
                             rp_view fields[static RP_SEARCH_FIELDS_MAX], size_t *ret_count) {
    struct rp_json *root = NULL;
    RP_TRY(rp_json_parse(text, RP_JSON_LIMITS, arena, &root, NULL));
    const struct rp_json *list = rp_json_get(root, "search");
    size_t count = 0;
    for (const struct rp_json *one = list ? list->first : NULL; one; one = one->next) {
        if (count == RP_SEARCH_FIELDS_MAX || one->kind != RP_JSON_STRING) {
            return RP_ERR(CORRUPT);
        }
        fields[count++] = one->string;
    }
    *ret_count = count;
    return RP_OK;
}

rp_err rp_space_declared(struct rp_space *space, rp_view collection, struct rp_arena *arena,
                         rp_view fields[static RP_SEARCH_FIELDS_MAX], size_t *ret_count) {
    rp_space_check(space);
    if (!rp_space_takes(space, collection)) {
        return RP_ERR(NOT_FOUND);
    }
    _cleanup_(rp_buf_done) struct rp_buf plain = rp_buf_new(SETTINGS_MAX);
    _cleanup_(rp_buf_done) struct rp_buf aad = settings_place(space, collection);
    _cleanup_(rp_row_donep) struct rp_row *row = NULL;
    RP_TRY(
        rp_db_query(space->db, "SELECT sealed FROM collection WHERE app = ?1 AND name = ?2", &row));
    rp_row_bind_text(row, 1, space->app);
    rp_row_bind_text(row, 2, collection);
    bool found = false;
    RP_TRY(rp_row_next(row, &found));
    if (!found) {
        *ret_count = 0;
        return RP_OK;
    }
    RP_TRY(rp_buf_err(&aad));
    RP_TRY(rp_aead_open(space->key, rp_buf_view(&aad), rp_row_blob(row, 0), &plain));
    return parse_settings(rp_buf_view(&plain), arena, fields, ret_count);
}

/* ---- tokens ---- */

static rp_err token_of(const struct rp_space *space, rp_view collection, rp_view field,
                       const struct rp_json *value, struct rp_token32 *ret_token) {
    _cleanup_(rp_buf_done) struct rp_buf info = rp_buf_new(INFO_MAX);
    rp_pack_bytes(&info, RP_VIEW("blind-index"));
    rp_pack_bytes(&info, space->app);
    rp_pack_bytes(&info, collection);
    rp_pack_bytes(&info, field);
    RP_TRY(rp_buf_err(&info));
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new_wiping(RP_SEARCH_VALUE_MAX * 8);
    RP_TRY(rp_json_print(value, &text));
    _cleanup_(rp_secret_freep) struct rp_secret *key = NULL;
    RP_TRY(rp_hkdf_sha256(space->key, RP_VIEW(""), rp_buf_view(&info), RP_SHA256, &key));
    struct rp_sha256 hash = rp_hmac_sha256(key, rp_buf_view(&text));
    _Static_assert(sizeof ret_token->b == sizeof hash.b, "a token is the whole hash");
    memcpy(ret_token->b, hash.b, sizeof ret_token->b);
    return RP_OK;
}

static bool is_searchable(const struct rp_json *value) {
    return value && (value->kind == RP_JSON_NUMBER || value->kind == RP_JSON_BOOL ||
                     (value->kind == RP_JSON_STRING && value->string.n <= RP_SEARCH_VALUE_MAX));
}

static rp_err put_token(const struct rp_space *space, rp_view collection, rp_id id,
                        const struct rp_token32 *token) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(space->db,
                       "INSERT INTO record_token (app, collection, token, id) "
                       "VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
                       &row));
    rp_row_bind_text(row, 1, space->app);
    rp_row_bind_text(row, 2, collection);
    rp_row_bind_blob(row, 3, rp_view_of(token->b, sizeof token->b));
    rp_row_bind_id(row, 4, id);
    return rp_row_run(row, NULL);
}

static rp_err remove_tokens(const struct rp_space *space, rp_view collection, rp_id id) {
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(space->db,
                       "DELETE FROM record_token WHERE app = ?1 AND collection = ?2 AND id = ?3",
                       &row));
    rp_row_bind_text(row, 1, space->app);
    rp_row_bind_text(row, 2, collection);
    rp_row_bind_id(row, 3, id);
    return rp_row_run(row, NULL);
}

static rp_err put_fields(const struct rp_space *space, rp_view collection, rp_id id,
                         rp_view document, const rp_view *fields, size_t count,
                         struct rp_arena *arena) {
    struct rp_json *root = NULL;
    RP_TRY(rp_json_parse(document, RP_JSON_LIMITS, arena, &root, NULL));
    for (size_t i = 0; i < count && root->kind == RP_JSON_OBJECT; i++) {
        for (const struct rp_json *one = root->first; one; one = one->next) {
            if (rp_view_equal(one->key, fields[i]) && is_searchable(one)) {
                struct rp_token32 token;
                RP_TRY(token_of(space, collection, fields[i], one, &token));
                RP_TRY(put_token(space, collection, id, &token));
            }
        }
    }
    return RP_OK;
}

rp_err rp_search_put(const struct rp_space *space, rp_view collection, rp_id id, rp_view document,
                     struct rp_arena *arena) {
    rp_view fields[RP_SEARCH_FIELDS_MAX];
    size_t count = 0;
    struct rp_space copy = *space;
    RP_TRY(rp_space_declared(&copy, collection, arena, fields, &count));
    if (count == 0) {
        return RP_OK;
    }
    RP_TRY(remove_tokens(space, collection, id));
    return document.n == 0 ? RP_OK
                           : put_fields(space, collection, id, document, fields, count, arena);
}

rp_err rp_search_tokens(struct rp_space *space, rp_view collection, rp_view field, rp_view value,
                        struct rp_arena *arena, struct rp_token32 ret_tokens[static 2],
                        struct rp_diag *diag) {
    rp_view fields[RP_SEARCH_FIELDS_MAX];
    size_t count = 0;
    RP_TRY(rp_space_declared(space, collection, arena, fields, &count));
    bool declared = false;
    for (size_t i = 0; i < count; i++) {
        declared = declared || rp_view_equal(fields[i], field);
    }
    if (!declared) {
        return rp_fail(diag, RP_ERR(INVALID), "\"%.*s\" is not declared for search here",
                       (int)(field.n < 64 ? field.n : 64), (const char *)field.p);
    }
    if (value.n > RP_SEARCH_VALUE_MAX) {
        return rp_fail(diag, RP_ERR(TOO_LARGE), "a searched value has at most %d bytes",
                       RP_SEARCH_VALUE_MAX);
    }
    struct rp_json *other = NULL;
    struct rp_json string = {.kind = RP_JSON_STRING, .string = value};
    RP_TRY(token_of(space, collection, field, &string, &ret_tokens[0]));
    ret_tokens[1] = ret_tokens[0];
    if (rp_ok(rp_json_parse(value, RP_JSON_LIMITS, arena, &other, NULL)) &&
        (other->kind == RP_JSON_NUMBER || other->kind == RP_JSON_BOOL)) {
        return token_of(space, collection, field, other, &ret_tokens[1]);
    }
    return RP_OK;
}

/* ---- declaring ---- */

struct declaration {
    struct rp_space *space;
    rp_view collection;
    const rp_view *fields;
    size_t count;
    rp_view text;
};

static rp_err put_settings(const struct declaration *d) {
    _cleanup_(rp_buf_done) struct rp_buf aad = settings_place(d->space, d->collection);
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(SETTINGS_MAX + RP_AEAD_OVERHEAD);
    RP_TRY(rp_buf_err(&aad));
    RP_TRY(rp_aead_seal(d->space->env, d->space->key, rp_buf_view(&aad), d->text, &sealed));
    struct rp_row *row = NULL;
    RP_TRY(rp_db_query(d->space->db,
                       "INSERT INTO collection (app, name, sealed) VALUES (?1, ?2, ?3) "
                       "ON CONFLICT (app, name) DO UPDATE SET sealed = ?3",
                       &row));
    rp_row_bind_text(row, 1, d->space->app);
    rp_row_bind_text(row, 2, d->collection);
    rp_row_bind_blob(row, 3, rp_buf_view(&sealed));
    RP_TRY(rp_row_run(row, NULL));
    RP_TRY(rp_db_query(d->space->db, "DELETE FROM record_token WHERE app = ?1 AND collection = ?2",
                       &row));
    rp_row_bind_text(row, 1, d->space->app);
    rp_row_bind_text(row, 2, d->collection);
    return rp_row_run(row, NULL);
}

static rp_err index_page(const struct declaration *d, struct rp_arena *arena, rp_id *after,
                         size_t *ret_count) {
    struct rp_record *records = NULL;
    RP_TRY(rp_space_list(d->space, d->collection, *after, 20, arena, &records, ret_count));
    for (size_t i = 0; i < *ret_count; i++) {
        RP_TRY(put_fields(d->space, d->collection, records[i].id, records[i].document, d->fields,
                          d->count, arena));
        *after = records[i].id;
    }
    return RP_OK;
}

static rp_err do_declare(struct rp_db *db, void *ctx) {
    const struct declaration *d = ctx;
    (void)db;
    RP_TRY(put_settings(d));
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new_wiping(INDEX_ARENA);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    rp_id after = {{0}};
    size_t count = 0, seen = 0;
    do {
        rp_arena_reset(arena);
        RP_TRY(index_page(d, arena, &after, &count));
        seen += count;
    } while (count > 0 && seen <= RP_DECLARE_RECORDS_MAX);
    if (seen > RP_DECLARE_RECORDS_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    struct rp_record none = {.version = 1};
    struct rp_record_place place = rp_space_place(d->space, d->collection, &none);
    return rp_space_emit(d->space, RP_EVENT_COLLECTION_CHANGED, &place);
}

static rp_err check_fields(const rp_view *fields, size_t count, struct rp_diag *diag) {
    bool good = count <= RP_SEARCH_FIELDS_MAX;
    for (size_t i = 0; i < count && good; i++) {
        good = fields[i].n > 0 && fields[i].n <= FIELD_MAX;
    }
    return good ? RP_OK
                : rp_fail(diag, RP_ERR(INVALID), "search: at most %d names of 1 to %d bytes",
                          RP_SEARCH_FIELDS_MAX, FIELD_MAX);
}

rp_err rp_space_declare(struct rp_space *space, rp_view collection, const rp_view *fields,
                        size_t count, struct rp_arena *arena, struct rp_diag *diag) {
    rp_space_check(space);
    if (!rp_space_takes(space, collection)) {
        return rp_fail(diag, RP_ERR(INVALID), "a collection's name is 1 to 64 of a-z, 0-9 and -");
    }
    RP_TRY(check_fields(fields, count, diag));
    struct rp_json *root = rp_json_object(arena);
    struct rp_json *list = rp_json_add_array(arena, root, "search");
    for (size_t i = 0; i < count; i++) {
        rp_json_add_string(arena, list, NULL, fields[i]);
    }
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(SETTINGS_MAX);
    RP_TRY(root ? rp_json_print(root, &text) : RP_ERR(NO_MEMORY));
    struct declaration d = {space, collection, fields, count, rp_buf_view(&text)};
    rp_err err = rp_db_transact(space->db, do_declare, &d);
    if (rp_is(err, RP_E_TOO_LARGE)) {
        return rp_fail(diag, err,
                       "a collection of over %d records takes no new search: declare it before",
                       RP_DECLARE_RECORDS_MAX);
    }
    return err;
}
