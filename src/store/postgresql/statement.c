/* statement.c — a prepared statement: what is bound to it, its run, and the rows that it answered.
 *
 * Values are declared by what they are (a number is an int8, never what the parser guesses from an
 * operator beside it), so a statement is prepared when it first runs. NULL has no type of its own:
 * where it was all that was known, a value that comes later has the statement prepared anew.
 *
 * A change inside a transaction runs behind a savepoint, in one exchange with the server: one that
 * is refused (DUPLICATE) leaves the transaction as it was, as with SQLite. A change outside of one
 * stands in line as transactions do.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/buf.h"
#include "base/checked.h"
#include "store/postgresql/pg.h"

enum { SQL_BYTES_MAX = 16384, VALUE_BYTES_MAX = 16 * 1024 * 1024, NAME_BYTES = 24 };
enum { ANY_DIGITS = 19 };

struct value {
    Oid type; /* 0: NULL, of whatever type fits */
    bool null;
    size_t at, n;
};

struct statement {
    char name[NAME_BYTES];
    unsigned life; /* of the connection that it was prepared on; 0: not at all */
    bool changes;  /* INSERT, UPDATE, DELETE */
    struct rp_pg_places places;
    Oid types[RP_PG_PLACES_MAX]; /* as prepared */
    struct value values[RP_PG_PLACES_MAX];
    struct rp_buf bytes; /* of the values */
    PGresult *result;
    int row; /* the next one to answer */
    uint64_t changed;
    struct rp_buf sql;
};

static struct rp_pg *pg_of(const struct rp_row *row) {
    return row->db->own;
}

/* ---- made, reset, destroyed ---- */

static bool is_change(rp_view sql) {
    return rp_view_starts(sql, RP_VIEW("INSERT")) || rp_view_starts(sql, RP_VIEW("UPDATE")) ||
           rp_view_starts(sql, RP_VIEW("DELETE"));
}

rp_err rp_pg_prepare(struct rp_row *row) {
    static const char name[] = "s%lx";
    struct statement *s = calloc(1, sizeof *s);
    if (s == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    s->sql = rp_buf_new(SQL_BYTES_MAX);
    s->bytes = rp_buf_new(VALUE_BYTES_MAX);
    s->changes = is_change(rp_view_from_cstr(row->sql));
    (void)snprintf(s->name, sizeof s->name, name, (unsigned long)(uintptr_t)row->sql);
    row->own = s;
    rp_err err = rp_pg_translate(row->sql, pg_of(row)->tenants, &s->sql, &s->places);
    if (!rp_ok(err)) {
        rp_pg_destroy(row);
    }
    return err;
}

static void drop_result(struct statement *s) {
    PQclear(s->result);
    s->result = NULL;
    s->row = 0;
}

void rp_pg_reset(struct rp_row *row) {
    struct statement *s = row->own;
    drop_result(s);
    memset(s->values, 0, sizeof s->values);
    rp_buf_clear(&s->bytes);
}

void rp_pg_destroy(struct rp_row *row) {
    struct statement *s = row->own;
    drop_result(s);
    rp_buf_done(&s->sql);
    rp_buf_done(&s->bytes);
    free(s);
    row->own = NULL;
}

/* ---- bound ---- */

static rp_err bind(struct rp_row *row, int place, struct value how, rp_view value) {
    struct statement *s = row->own;
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
    return bind(row, place, (struct value){.type = RP_PG_INT8}, rp_view_of(bytes, sizeof bytes));
}

/* Texts sort from left to right: so do numbers of as many digits. */
rp_err rp_pg_bind_any_u64(struct rp_row *row, int place, uint64_t value) {
    char digits[ANY_DIGITS + 2];
    int n = snprintf(digits, sizeof digits, "%0*llu", ANY_DIGITS, (unsigned long long)value);
    RP_ASSERT(n == ANY_DIGITS);
    return bind(row, place, (struct value){.type = RP_PG_TEXT}, rp_view_of(digits, ANY_DIGITS));
}

static Oid type_of(enum rp_bytes_kind kind) {
    return kind == RP_BYTES_TEXT ? RP_PG_TEXT : RP_PG_BYTEA;
}

rp_err rp_pg_bind_bytes(struct rp_row *row, int place, enum rp_bytes_kind kind, rp_view value) {
    return bind(row, place, (struct value){.type = type_of(kind)}, value);
}

rp_err rp_pg_bind_null(struct rp_row *row, int place) {
    return bind(row, place, (struct value){.null = true}, (rp_view){NULL, 0});
}

rp_err rp_pg_bind_bytes_null(struct rp_row *row, int place, enum rp_bytes_kind kind) {
    return bind(row, place, (struct value){.type = type_of(kind), .null = true},
                (rp_view){NULL, 0});
}

/* ---- prepared on the connection ---- */

static bool fits(const struct rp_pg *pg, const struct statement *s) {
    bool same = s->life == pg->life;
    for (int i = 0; same && i < s->places.count; i++) {
        same = s->values[i].type == 0 || s->values[i].type == s->types[i];
    }
    return same;
}

/* What was known of a place's type stays known when NULL is bound to it now. */
static void take_types(const struct rp_pg *pg, struct statement *s) {
    for (int i = 0; i < s->places.count; i++) {
        if (s->life != pg->life || s->values[i].type != 0) {
            s->types[i] = s->values[i].type;
        }
    }
}

static rp_err prepare_with(struct rp_pg *pg, struct statement *s, Oid null_type) {
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

static bool has_unknown(const struct statement *s) {
    bool unknown = false;
    for (int i = 0; i < s->places.count; i++) {
        unknown = unknown || (s->types[i] == 0 && s->places.used[i]);
    }
    return unknown;
}

/* The parser finds the type of most NULLs; "?1 IS NULL" alone tells it nothing. Any type will do
 * that the rest of the statement takes. */
static rp_err prepare_guessing(struct rp_pg *pg, struct statement *s) {
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

static rp_err prepare_there(struct rp_pg *pg, struct statement *s) {
    if (fits(pg, s)) {
        return RP_OK;
    }
    if (s->life == pg->life) {
        char sql[NAME_BYTES + 16];
        (void)snprintf(sql, sizeof sql, "DEALLOCATE %s", s->name);
        RP_TRY(rp_pg_exec(pg, sql));
    }
    take_types(pg, s);
    s->life = 0;
    RP_TRY(has_unknown(s) ? prepare_guessing(pg, s) : prepare_with(pg, s, 0));
    s->life = pg->life;
    return RP_OK;
}

/* ---- run ---- */

struct sent {
    const char *values[RP_PG_PLACES_MAX];
    int lengths[RP_PG_PLACES_MAX], formats[RP_PG_PLACES_MAX];
};

static void lay_out(const struct statement *s, struct sent *out) {
    const char *bytes = (const char *)rp_buf_view(&s->bytes).p;
    for (int i = 0; i < s->places.count; i++) {
        const struct value *value = &s->values[i];
        bool null = value->null || value->type == 0; /* what was never bound is NULL */
        out->values[i] = null ? NULL : value->n > 0 ? bytes + value->at : "";
        out->lengths[i] = (int)value->n;
        out->formats[i] = 1;
    }
}

static bool succeeded(const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

static PGresult *run_plainly(struct rp_pg *pg, const struct statement *s, const struct sent *sent) {
    return PQexecPrepared(pg->conn, s->name, s->places.count, sent->values, sent->lengths,
                          sent->formats, 1);
}

static bool say(struct rp_pg *pg, const char *sql) {
    return PQsendQueryParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, 1) == 1;
}

/* Reads up to the mark behind what was sent; the statement's own result is the second, unless what
 * came before it failed. */
static PGresult *read_pipeline(struct rp_pg *pg) {
    PGresult *own = NULL;
    int number = 0, ends = 0;
    bool over = false;
    while (!over && ends < 2) {
        PGresult *result = PQgetResult(pg->conn);
        if (result == NULL) {
            ends++; /* between two results; twice: the connection is gone */
            continue;
        }
        ends = 0;
        over = PQresultStatus(result) == PGRES_PIPELINE_SYNC;
        if (!over && own == NULL && (++number == 2 || !succeeded(result))) {
            own = result;
        } else {
            PQclear(result);
        }
    }
    return own;
}

/* In one exchange: before, the statement, and after (NULL: nothing). */
static PGresult *run_between(struct rp_pg *pg, const char *before, const char *after,
                             const struct statement *s, const struct sent *sent) {
    bool going = PQenterPipelineMode(pg->conn) == 1 && say(pg, before) &&
                 PQsendQueryPrepared(pg->conn, s->name, s->places.count, sent->values,
                                     sent->lengths, sent->formats, 1) == 1 &&
                 (after == NULL || say(pg, after)) && PQpipelineSync(pg->conn) == 1;
    PGresult *result = going ? read_pipeline(pg) : NULL;
    (void)PQexitPipelineMode(pg->conn);
    return result;
}

static PGresult *run_kept(struct rp_pg *pg, const struct statement *s, const struct sent *sent) {
    PGresult *result = run_between(pg, "SAVEPOINT kept", "RELEASE SAVEPOINT kept", s, sent);
    if (!succeeded(result) && PQtransactionStatus(pg->conn) == PQTRANS_INERROR) {
        rp_ignore(rp_pg_exec(pg, "ROLLBACK TO SAVEPOINT kept; RELEASE SAVEPOINT kept"));
    }
    return result;
}

/* A change outside of a transaction stands in line like one: nobody's transaction sees it happen
 * between two of its own statements. What is sent up to the mark is one transaction. */
static PGresult *run_in_line(const struct rp_row *row, const struct sent *sent) {
    char lock[64];
    (void)snprintf(lock, sizeof lock, "SELECT pg_advisory_xact_lock(%lld)",
                   (long long)rp_pg_line(row->db));
    return run_between(pg_of(row), lock, NULL, row->own, sent);
}

static PGresult *run_as_it_must(const struct rp_row *row, const struct sent *sent) {
    const struct statement *s = row->own;
    struct rp_pg *pg = pg_of(row);
    if (!s->changes) {
        return run_plainly(pg, s, sent);
    }
    return pg->holder != NULL ? run_kept(pg, s, sent) : run_in_line(row, sent);
}

static rp_err run(struct rp_row *row) {
    struct rp_pg *pg = pg_of(row);
    struct statement *s = row->own;
    if (pg->holder == NULL) {
        RP_TRY(rp_pg_ready(pg, row->db->tenant));
    }
    RP_ASSERT(pg->holder == NULL || pg->holder == row->db); /* it never turns in a transaction */
    RP_TRY(prepare_there(pg, s));
    struct sent sent;
    lay_out(s, &sent);
    PGresult *result = run_as_it_must(row, &sent);
    if (!succeeded(result)) {
        rp_err err = rp_pg_err(pg, result);
        PQclear(result);
        return err;
    }
    s->result = result;
    s->row = 0;
    uint64_t changed = 0;
    (void)rp_view_to_u64(rp_view_from_cstr(PQcmdTuples(result)), INT64_MAX, &changed);
    s->changed = s->changes ? changed : 0;
    pg->changes += s->changed;
    return RP_OK;
}

rp_err rp_pg_step(struct rp_row *row, bool *ret_has_row) {
    struct statement *s = row->own;
    if (s->result == NULL) {
        RP_TRY(run(row));
    }
    if (s->row >= PQntuples(s->result)) {
        drop_result(s);
        *ret_has_row = false;
        return RP_OK;
    }
    s->row++;
    *ret_has_row = true;
    return RP_OK;
}

uint64_t rp_pg_changed(const struct rp_row *row) {
    const struct statement *s = row->own;
    return s->changed;
}

/* ---- the row that was answered last ---- */

static rp_view field(const struct rp_row *row, int column) {
    const struct statement *s = row->own;
    RP_ASSERT(s->result != NULL && s->row > 0 && column < PQnfields(s->result));
    if (PQgetisnull(s->result, s->row - 1, column)) {
        return (rp_view){NULL, 0};
    }
    return rp_view_of(PQgetvalue(s->result, s->row - 1, column),
                      (size_t)PQgetlength(s->result, s->row - 1, column));
}

uint64_t rp_pg_u64(const struct rp_row *row, int column) {
    const struct statement *s = row->own;
    rp_view value = field(row, column);
    return value.p != NULL ? rp_pg_take_u64(PQftype(s->result, column), value) : 0;
}

rp_view rp_pg_bytes(const struct rp_row *row, int column, enum rp_bytes_kind kind) {
    (void)kind; /* a text is its bytes */
    return field(row, column);
}

bool rp_pg_is_null(const struct rp_row *row, int column) {
    return field(row, column).p == NULL;
}
