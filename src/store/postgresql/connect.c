/* connect.c — a connection: made, looked at before it is used, made anew when it broke. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "store/postgresql/pg.h"

enum { OLDEST_VERSION = 150000, WORDS_MAX = 16 };

static void clear_result(PGresult **result) {
    PQclear(*result);
}

static bool succeeded(const PGresult *result) {
    ExecStatusType status = PQresultStatus(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK;
}

rp_err rp_pg_exec(struct rp_pg *pg, const char *sql) {
    _cleanup_(clear_result) PGresult *result = PQexec(pg->conn, sql);
    return succeeded(result) ? RP_OK : rp_pg_err(pg, result);
}

rp_err rp_pg_number(struct rp_pg *pg, const char *sql, int64_t *ret_number) {
    _cleanup_(clear_result) PGresult *result =
        PQexecParams(pg->conn, sql, 0, NULL, NULL, NULL, NULL, 1);
    if (!succeeded(result)) {
        return rp_pg_err(pg, result);
    }
    if (PQntuples(result) != 1 || PQftype(result, 0) != RP_PG_INT8 ||
        PQgetlength(result, 0, 0) != 8) {
        return RP_ERR(CORRUPT);
    }
    *ret_number = rp_pg_take_int8((const uint8_t *)PQgetvalue(result, 0, 0));
    return RP_OK;
}

/* ---- one connection ---- */

static rp_err refuse(struct rp_pg *pg, rp_err err, struct rp_diag *diag, const char *what) {
    rp_view message = rp_pg_message(pg, NULL);
    return rp_fail(diag, err, "postgresql, database %s: %s%s%.*s", pg->url.database, what,
                   message.n > 0 ? ": " : "", RP_FMT(message));
}

/* What fails is told by what failed. */
static void keep_quiet(void *ctx, const char *message) {
    (void)ctx;
    (void)message;
}

/* No file of the user's and no variable of the environment says where to go: the URL alone. */
static rp_err dial(struct rp_pg *pg, struct rp_diag *diag) {
    const struct rp_store_url *url = &pg->url;
    const char *const keys[] = {"host",
                                "port",
                                "user",
                                "dbname",
                                "password",
                                "passfile",
                                "sslmode",
                                "gssencmode",
                                "connect_timeout",
                                "client_encoding",
                                "application_name",
                                "options",
                                NULL};
    const char *const values[] = {url->folder,    url->port, url->user, url->database, "",
                                  "/nonexistent", "disable", "disable", "2",           "UTF8",
                                  "rempart",      " ",       NULL};
    _Static_assert(RP_COUNT_OF(keys) == RP_COUNT_OF(values), "a value for each key");
    pg->conn = PQconnectdbParams(keys, values, 0);
    if (pg->conn == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    (void)PQsetNoticeProcessor(pg->conn, keep_quiet, NULL);
    if (PQstatus(pg->conn) != CONNECTION_OK) {
        return refuse(pg, RP_ERR(UNREACHABLE), diag, "no connection");
    }
    pg->life++;
    pg->tenant = (rp_id){{0}};
    return RP_OK;
}

/* Waiting for who writes is two seconds, as with SQLite; nothing waits for ever. A page of records
 * is not worth a second process or a compiler, which a large table would get. */
static const char session[] =
    "SET lock_timeout = '2s'; SET statement_timeout = '60s'; "
    "SET idle_in_transaction_session_timeout = '60s'; SET client_min_messages = warning; "
    "SET default_transaction_isolation = 'read committed'; SET jit = off; "
    "SET max_parallel_workers_per_gather = 0; "
    "SELECT set_config('synchronous_commit', 'on', false) "
    "WHERE current_setting('synchronous_commit') IN ('off', 'local')";

static rp_err set_session(struct rp_pg *pg) {
    char sql[RP_PG_SQL_MAX];
    (void)snprintf(sql, sizeof sql, "SET search_path = %s%s", pg->url.schema,
                   pg->tenants ? "_tenants" : "");
    RP_TRY(rp_pg_exec(pg, sql));
    return rp_pg_exec(pg, session);
}

/*= S67 */ /* a role that row level security does not hold never serves tenants */
static rp_err check_role(struct rp_pg *pg, struct rp_diag *diag) {
    int64_t unheld = 1;
    RP_TRY(rp_pg_number(pg,
                        "SELECT count(*) FROM pg_roles WHERE rolname = current_user AND "
                        "(rolsuper OR rolbypassrls)",
                        &unheld));
    return unheld == 0 ? RP_OK
                       : rp_fail(diag, RP_ERR(DENIED),
                                 "postgresql, role %s: it is a superuser or has BYPASSRLS, so that "
                                 "nothing would keep tenants apart: name a role without both",
                                 pg->url.user);
}

static rp_err check_server(struct rp_pg *pg, struct rp_diag *diag) {
    const char *encoding = PQparameterStatus(pg->conn, "server_encoding");
    if (PQserverVersion(pg->conn) < OLDEST_VERSION) {
        return rp_fail(diag, RP_ERR(UNSUPPORTED), "postgresql: version 15 or later, not %d.%d",
                       PQserverVersion(pg->conn) / 10000, PQserverVersion(pg->conn) % 10000);
    }
    if (encoding == NULL || strcmp(encoding, "UTF8") != 0) {
        return rp_fail(diag, RP_ERR(UNSUPPORTED),
                       "postgresql, database %s: its encoding is %s: make it with ENCODING 'UTF8'",
                       pg->url.database, encoding ? encoding : "unknown");
    }
    return RP_OK;
}

/*= S66 */ /* tables that do not keep tenants apart, by whatever hand, are not served */
static rp_err check_apart(struct rp_pg *pg, struct rp_diag *diag) {
    int64_t open = 1;
    if (!pg->tenants) {
        return RP_OK;
    }
    RP_TRY(rp_pg_number(
        pg,
        "SELECT count(*) FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid "
        "WHERE c.relnamespace = to_regnamespace(current_schema()) AND c.relkind IN ('r', 'p') "
        "AND a.attname = 'tenant' AND NOT (c.relrowsecurity AND c.relforcerowsecurity AND 1 = "
        "(SELECT count(*) FILTER (WHERE polname = 'own_tenant' AND polcmd = '*' AND "
        "pg_get_expr(polqual, polrelid) = '(tenant = current_tenant())') + "
        "2 * count(*) FILTER (WHERE polname <> 'own_tenant' AND NOT (polname = "
        "'reader_finds_all' AND polcmd = 'r' AND relname = 'owner')) "
        "FROM pg_policy WHERE polrelid = c.oid))",
        &open));
    return open == 0 ? RP_OK
                     : rp_fail(diag, RP_ERR(DENIED),
                               "postgresql, schema %s_tenants: row level security was changed on "
                               "%lld of its tables, so that nothing would keep tenants apart",
                               pg->url.schema, (long long)open);
}

static rp_err set_lock(struct rp_pg *pg) {
    char sql[RP_PG_SQL_MAX];
    (void)snprintf(sql, sizeof sql, "SELECT hashtextextended('%s%s', 0)", pg->url.schema,
                   pg->tenants ? "_tenants" : "");
    return rp_pg_number(pg, sql, &pg->lock);
}

static rp_err connect_whole(struct rp_pg *pg, struct rp_diag *diag) {
    RP_TRY(dial(pg, diag));
    RP_TRY(check_server(pg, diag));
    rp_err err = set_session(pg);
    if (!rp_ok(err)) {
        return refuse(pg, err, diag, "session");
    }
    RP_TRY(check_role(pg, diag));
    return set_lock(pg);
}

rp_err rp_pg_new(const struct rp_store_url *url, bool tenants, struct rp_pg **ret_pg,
                 struct rp_diag *diag) {
    struct rp_pg *pg = calloc(1, sizeof *pg);
    if (pg == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    pg->url = *url;
    pg->tenants = tenants;
    rp_err err = connect_whole(pg, diag);
    if (rp_ok(err)) {
        err = rp_pg_migrate(pg, diag);
    }
    if (rp_ok(err)) {
        err = rp_pg_let_reader_in(pg);
    }
    if (rp_ok(err)) {
        err = check_apart(pg, diag);
    }
    if (!rp_ok(err)) {
        rp_pg_free(pg);
        return err;
    }
    *ret_pg = pg;
    return RP_OK;
}

rp_err rp_pg_new_reader(const struct rp_store_url *url, bool tenants, struct rp_pg **ret_pg) {
    static const char reader[] = "_reader";
    size_t n = strlen(url->user);
    struct rp_pg *pg = calloc(1, sizeof *pg);
    if (pg == NULL) {
        return RP_ERR(NO_MEMORY);
    }
    pg->url = *url;
    pg->tenants = tenants;
    pg->streams = tenants; /* the registers' rules ask while they read */
    rp_err err = RP_ERR(INVALID);
    if (n + sizeof reader <= sizeof pg->url.user) {
        memcpy(pg->url.user + n, reader, sizeof reader);
        err = connect_whole(pg, NULL);
    }
    if (rp_ok(err)) {
        err = rp_pg_exec(pg,
                         "SET default_transaction_read_only = on; SET statement_timeout = '10min'");
    }
    if (rp_ok(err) && !rp_pg_is_current(pg)) {
        err = RP_ERR(DENIED);
    }
    if (!rp_ok(err)) {
        rp_pg_free(pg);
        return err;
    }
    *ret_pg = pg;
    return RP_OK;
}

void rp_pg_free(struct rp_pg *pg) {
    if (pg != NULL) {
        rp_rows_destroy(&rp_pg_engine, pg->rows);
        PQfinish(pg->conn);
        free(pg);
    }
}

/* ---- before it is used ---- */

static bool has_something_to_say(const struct rp_pg *pg) {
    struct pollfd fd = {.fd = PQsocket(pg->conn), .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

/* A server that goes away says so, and closes: both are read before anything is asked. */
static bool still_stands(const struct rp_pg *pg) {
    if (pg->conn == NULL || PQstatus(pg->conn) != CONNECTION_OK ||
        PQtransactionStatus(pg->conn) != PQTRANS_IDLE) {
        return false;
    }
    for (unsigned i = 0; i < WORDS_MAX && has_something_to_say(pg); i++) {
        if (PQconsumeInput(pg->conn) != 1) {
            return false;
        }
    }
    return true;
}

static rp_err make_anew(struct rp_pg *pg) {
    PQfinish(rp_take(&pg->conn));
    rp_err err = connect_whole(pg, NULL);
    if (rp_ok(err)) {
        err = check_apart(pg, NULL);
    }
    if (!rp_ok(err)) {
        PQfinish(rp_take(&pg->conn));
    }
    return err;
}

/*= S66 */ /* the connection sees the rows of one tenant: of the handle that asks */
static rp_err turn(struct rp_pg *pg, rp_id tenant) {
    if (!pg->tenants || rp_id_equal(pg->tenant, tenant)) {
        return RP_OK;
    }
    char sql[RP_PG_SQL_MAX];
    (void)snprintf(sql, sizeof sql, "SET rempart.tenant = '%s'", rp_id_print(tenant).s);
    pg->tenant = (rp_id){{0}};
    RP_TRY(rp_pg_exec(pg, sql));
    pg->tenant = tenant;
    return RP_OK;
}

rp_err rp_pg_ready(struct rp_pg *pg, rp_id tenant) {
    RP_ASSERT(pg->holder == NULL);
    RP_ASSERT(pg->tenants != rp_id_is_none(tenant));
    if (!still_stands(pg)) {
        RP_TRY(make_anew(pg));
    }
    return turn(pg, tenant);
}
