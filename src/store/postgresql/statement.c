/* statement.c — a prepared statement: made, bound, prepared on the connection that it runs on.
 *
 * Values are declared by what they are (a number is an int8, never what the parser guesses from an
 * operator beside it), so a statement is prepared when it first runs. NULL has no type of its own:
 * where it was all that was known, a value that comes later has the statement prepared anew.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "store/postgresql/statement.h"

enum { SQL_BYTES_MAX = 16384, VALUE_BYTES_MAX = 16 * 1024 * 1024, ANY_DIGITS = 19 };

/* ---- made, reset, destroyed ---- */

static bool is_change(rp_view sql) {
    return rp_view_starts(sql, RP_VIEW("INSERT")) || rp_view_starts(sql, RP_VIEW("UPDATE")) ||
           rp_view_starts(sql, RP_VIEW("DELETE"));
}

rp_err rp_pg_prepare(struct rp_row *row) {
    static const char name[] = "s%lx";
    struct rp_pg_statement *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    s->pg = row->db->own;
    s->sql = rp_buf_new(SQL_BYTES_MAX);
    s->bytes = rp_buf_new(VALUE_BYTES_MAX);
    s->changes = is_change(rp_view_from_cstr(row->sql));
    (void)snprintf(s->name, sizeof s->name, name, (unsigned long)(uintptr_t)row->sql);
    row->own = s;
    rp_err err = rp_pg_translate(row->sql, s->pg->tenants, &s->sql, &s->places);
    if (!rp_ok(err)) {
        rp_pg_destroy(row);
    }
    return err;
}

/*= S66 */ /* who still reads one tenant's rows never finds those of another in their place */
static bool is_read_by_another(const struct rp_row *row) {
    const struct rp_pg_statement *s = row->own;
    return s->of != row->db && (s->streamed || s->row < PQntuples(s->result));
}

void rp_pg_reset(struct rp_row *row) {
    struct rp_pg_statement *s = row->own;
    RP_ASSERT(!is_read_by_another(row));
    rp_pg_end(rp_pg_of(row), s);
    memset(s->values, 0, sizeof s->values);
    rp_buf_clear(&s->bytes);
}

void rp_pg_destroy(struct rp_row *row) {
    struct rp_pg_statement *s = row->own;
    rp_pg_end(rp_pg_of(row), s);
    rp_buf_done(&s->sql);
    rp_buf_done(&s->bytes);
    free(s);
    row->own = NULL;
}

/* ---- bound ---- */

static rp_err bind(struct rp_row *row, int place, struct rp_pg_value how, rp_view value) {
    struct rp_pg_statement *s = row->own;
    RP_ASSERT(place >= 1 && place <= s->places.count);
    how.at = rp_buf_view(&s->bytes).n;
    how.n = value.n;
    s->values[place - 1] = how;
    rp_buf_add(&s->bytes, value);
    return rp_buf_err(&s->bytes);
}

rp_err rp_pg_bind_u64(struct rp_row *row, int place, uint64_t value) {
    uint8_t bytes[8];
    rp_pg_put_u64(value, bytes);
    return bind(row, place, (struct rp_pg_value){.type = RP_PG_INT8},
                rp_view_of(bytes, sizeof bytes));
}

/* Texts sort from left to right: so do numbers of as many digits. */
rp_err rp_pg_bind_any_u64(struct rp_row *row, int place, uint64_t value) {
    char digits[ANY_DIGITS + 2];
    int n = snprintf(digits, sizeof digits, "%0*llu", ANY_DIGITS, (unsigned long long)value);
    RP_ASSERT(n == ANY_DIGITS);
    return bind(row, place, (struct rp_pg_value){.type = RP_PG_TEXT},
                rp_view_of(digits, ANY_DIGITS));
}

static Oid type_of(enum rp_bytes_kind kind) {
    return kind == RP_BYTES_TEXT ? RP_PG_TEXT : RP_PG_BYTEA;
}

rp_err rp_pg_bind_bytes(struct rp_row *row, int place, enum rp_bytes_kind kind, rp_view value) {
    return bind(row, place, (struct rp_pg_value){.type = type_of(kind)}, value);
}

rp_err rp_pg_bind_null(struct rp_row *row, int place) {
    return bind(row, place, (struct rp_pg_value){.null = true}, (rp_view){NULL, 0});
}

rp_err rp_pg_bind_bytes_null(struct rp_row *row, int place, enum rp_bytes_kind kind) {
    return bind(row, place, (struct rp_pg_value){.type = type_of(kind), .null = true},
                (rp_view){NULL, 0});
}

/* ---- prepared on the connection ---- */

static bool fits(const struct rp_pg *pg, const struct rp_pg_statement *s) {
    bool same = s->life == pg->life;
    for (int i = 0; same && i < s->places.count; i++) {
        same = s->values[i].type == 0 || s->values[i].type == s->types[i];
    }
    return same;
}

/* What was known of a place's type stays known when NULL is bound to it now. */
static void take_types(const struct rp_pg *pg, struct rp_pg_statement *s) {
    for (int i = 0; i < s->places.count; i++) {
        if (s->life != pg->life || s->values[i].type != 0) {
            s->types[i] = s->values[i].type;
        }
    }
}

static rp_err prepare_with(struct rp_pg *pg, struct rp_pg_statement *s, Oid null_type) {
    Oid types[RP_PG_PLACES_MAX];
    for (int i = 0; i < s->places.count; i++) {
        types[i] = s->types[i] != 0 ? s->types[i] : s->places.used[i] ? null_type : RP_PG_TEXT;
    }
    PGresult *result =
        PQprepare(pg->conn, s->name, (const char *)rp_buf_view(&s->sql).p, s->places.count, types);
    rp_err err = PQresultStatus(result) == PGRES_COMMAND_OK ? RP_OK : rp_pg_err(pg, result);
    PQclear(result);
    return err;
}

static bool has_unknown(const struct rp_pg_statement *s) {
    bool unknown = false;
    for (int i = 0; i < s->places.count; i++) {
        unknown = unknown || (s->types[i] == 0 && s->places.used[i]);
    }
    return unknown;
}

/* The parser finds the type of most NULLs; "?1 IS NULL" alone tells it nothing. Any type will do
 * that the rest of the statement takes. */
static rp_err prepare_guessing(struct rp_pg *pg, struct rp_pg_statement *s) {
    static const Oid guesses[] = {0, RP_PG_TEXT, RP_PG_BYTEA, RP_PG_INT8};
    bool kept = pg->holder != NULL;
    rp_err err = RP_ERR(CORRUPT);
    for (size_t i = 0; i < RP_COUNT_OF(guesses) && rp_is(err, RP_E_CORRUPT); i++) {
        RP_TRY(kept ? rp_pg_exec(pg, "SAVEPOINT guess") : RP_OK);
        err = prepare_with(pg, s, guesses[i]);
        RP_TRY(kept ? rp_pg_exec(pg, rp_ok(err) ? "RELEASE SAVEPOINT guess"
                                                : "ROLLBACK TO SAVEPOINT guess; "
                                                  "RELEASE SAVEPOINT guess")
                    : RP_OK);
    }
    return err;
}

rp_err rp_pg_prepare_there(struct rp_pg *pg, struct rp_pg_statement *s) {
    if (fits(pg, s)) {
        return RP_OK;
    }
    if (s->life == pg->life) {
        char sql[RP_PG_NAME + 16];
        (void)snprintf(sql, sizeof sql, "DEALLOCATE %s", s->name);
        RP_TRY(rp_pg_exec(pg, sql));
    }
    take_types(pg, s);
    s->life = 0;
    RP_TRY(has_unknown(s) ? prepare_guessing(pg, s) : prepare_with(pg, s, 0));
    s->life = pg->life;
    return RP_OK;
}
