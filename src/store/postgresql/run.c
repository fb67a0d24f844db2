/* run.c — a statement's run, and the rows that it answers.
 *
 * A change inside a transaction runs behind a savepoint, in one exchange with the server: one that
 * is refused (DUPLICATE) leaves the transaction as it was, as with SQLite. A change outside of one
 * stands in line as transactions do.
 *
 * Rows come all at once, for what a thread of core asks is a page or a record, and it asks other
 * things meanwhile. Whoever walks through everything (a connection that `streams`) gets them one by
 * one, and asks nothing else before the last.
 */
#include <stdio.h>

#include "base/assert.h"
#include "store/postgresql/statement.h"

/* ---- run ---- */

struct sent {
    const char *values[RP_PG_PLACES_MAX];
    int lengths[RP_PG_PLACES_MAX], formats[RP_PG_PLACES_MAX];
};

static void lay_out(const struct rp_pg_statement *s, struct sent *out) {
    const char *bytes = (const char *)rp_buf_view(&s->bytes).p;
    for (int i = 0; i < s->places.count; i++) {
        const struct rp_pg_value *value = &s->values[i];
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

static PGresult *run_plainly(struct rp_pg *pg, const struct rp_pg_statement *s,
                             const struct sent *sent) {
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
                             const struct rp_pg_statement *s, const struct sent *sent) {
    bool going = PQenterPipelineMode(pg->conn) == 1 && say(pg, before) &&
                 PQsendQueryPrepared(pg->conn, s->name, s->places.count, sent->values,
                                     sent->lengths, sent->formats, 1) == 1 &&
                 (after == NULL || say(pg, after)) && PQpipelineSync(pg->conn) == 1;
    PGresult *result = going ? read_pipeline(pg) : NULL;
    (void)PQexitPipelineMode(pg->conn);
    return result;
}

static PGresult *run_kept(struct rp_pg *pg, const struct rp_pg_statement *s,
                          const struct sent *sent) {
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
    return run_between(rp_pg_of(row), lock, NULL, row->own, sent);
}

static PGresult *run_as_it_must(const struct rp_row *row, const struct sent *sent) {
    const struct rp_pg_statement *s = rp_pg_statement_of(row);
    struct rp_pg *pg = rp_pg_of(row);
    if (!s->changes) {
        return run_plainly(pg, s, sent);
    }
    return pg->holder != NULL ? run_kept(pg, s, sent) : run_in_line(row, sent);
}

/* ---- one by one ---- */

static rp_err run_streamed(struct rp_pg *pg, struct rp_pg_statement *s, const struct sent *sent) {
    bool going = PQsendQueryPrepared(pg->conn, s->name, s->places.count, sent->values,
                                     sent->lengths, sent->formats, 1) == 1 &&
                 PQsetSingleRowMode(pg->conn) == 1;
    s->streamed = going;
    return going ? RP_OK : rp_pg_err(pg, NULL);
}

static void cancel(struct rp_pg *pg) {
    char unread[256];
    PGcancel *how = PQgetCancel(pg->conn);
    if (how != NULL) {
        (void)PQcancel(how, unread, sizeof unread); /* else all of it is read */
        PQfreeCancel(how);
    }
}

/* Nobody reads the rest: what has not come yet need not be sent. */
static void leave_stream(struct rp_pg *pg) {
    PGresult *rest = NULL;
    bool cancelled = false;
    do {
        if (!cancelled && PQisBusy(pg->conn)) {
            cancelled = true;
            cancel(pg);
        }
        rest = PQgetResult(pg->conn);
        PQclear(rest);
    } while (rest != NULL);
}

static rp_err run(struct rp_row *row) {
    struct rp_pg *pg = rp_pg_of(row);
    struct rp_pg_statement *s = rp_pg_statement_of(row);
    if (pg->holder == NULL) {
        RP_TRY(rp_pg_ready(pg, row->db->tenant));
    }
    RP_ASSERT(pg->holder == NULL || pg->holder == row->db); /* it never turns in a transaction */
    RP_TRY(rp_pg_prepare_there(pg, s));
    struct sent sent;
    lay_out(s, &sent);
    s->of = row->db;
    if (pg->streams) {
        return run_streamed(pg, s, &sent);
    }
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

/* ---- rows ---- */

void rp_pg_end(struct rp_pg *pg, struct rp_pg_statement *s) {
    PQclear(s->result);
    s->result = NULL;
    s->row = 0;
    if (s->streamed) {
        s->streamed = false;
        leave_stream(pg);
    }
}

static rp_err next_streamed(struct rp_pg *pg, struct rp_pg_statement *s, bool *ret_has_row) {
    PQclear(s->result);
    s->result = PQgetResult(pg->conn);
    s->row = 1;
    if (PQresultStatus(s->result) == PGRES_SINGLE_TUPLE) {
        *ret_has_row = true;
        return RP_OK;
    }
    rp_err err = succeeded(s->result) ? RP_OK : rp_pg_err(pg, s->result);
    rp_pg_end(pg, s);
    if (rp_ok(err)) {
        *ret_has_row = false;
    }
    return err;
}

rp_err rp_pg_step(struct rp_row *row, bool *ret_has_row) {
    struct rp_pg *pg = rp_pg_of(row);
    struct rp_pg_statement *s = rp_pg_statement_of(row);
    if (s->result == NULL && !s->streamed) {
        RP_TRY(run(row));
    }
    if (s->streamed) {
        return next_streamed(pg, s, ret_has_row);
    }
    if (s->row >= PQntuples(s->result)) {
        rp_pg_end(pg, s);
        *ret_has_row = false;
        return RP_OK;
    }
    s->row++;
    *ret_has_row = true;
    return RP_OK;
}

uint64_t rp_pg_changed(const struct rp_row *row) {
    const struct rp_pg_statement *s = rp_pg_statement_of(row);
    return s->changed;
}

/* ---- the row that was answered last ---- */

static rp_view field(const struct rp_row *row, int column) {
    const struct rp_pg_statement *s = rp_pg_statement_of(row);
    RP_ASSERT(s->result != NULL && s->row > 0 && column < PQnfields(s->result));
    if (PQgetisnull(s->result, s->row - 1, column)) {
        return (rp_view){NULL, 0};
    }
    return rp_view_of(PQgetvalue(s->result, s->row - 1, column),
                      (size_t)PQgetlength(s->result, s->row - 1, column));
}

uint64_t rp_pg_u64(const struct rp_row *row, int column) {
    const struct rp_pg_statement *s = rp_pg_statement_of(row);
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
