/* migrate.c — a schema from nothing to this program's: numbered steps, in one transaction.
 *
 * The number of the last step stands in the schema itself. One with a higher number was written by
 * a newer Rempart and is not touched. There is no copy of the earlier state, as SQLite's files
 * have: the operator's own backup is the way back (docs/operations/upgrade.md).
 */
#include "store/migrate.h"

#include <stdio.h>

#include "base/assert.h"
#include "store/postgresql/pg.h"

struct steps {
    const struct rp_migration *list;
    size_t count;
};

static struct steps steps_of(const struct rp_pg *pg) {
    return pg->tenants ? (struct steps){rp_pg_migrations_tenant, rp_pg_migrations_tenant_count}
                       : (struct steps){rp_pg_migrations_system, rp_pg_migrations_system_count};
}

static rp_err fail(const struct rp_pg *pg, rp_err err, const char *what, struct rp_diag *diag) {
    return rp_fail(diag, err, "postgresql, schema %s%s: %s: %.*s", pg->url.schema,
                   pg->tenants ? "_tenants" : "", what, RP_FMT(rp_pg_message(pg, NULL)));
}

/* The schema and the table of its version; alone, for many start at once. */
static rp_err begin(struct rp_pg *pg, struct rp_diag *diag) {
    char sql[RP_PG_SQL_MAX];
    (void)snprintf(sql, sizeof sql,
                   "BEGIN; SELECT pg_advisory_xact_lock(%lld); SET LOCAL statement_timeout = 0; "
                   "CREATE SCHEMA IF NOT EXISTS %s%s; "
                   "CREATE TABLE IF NOT EXISTS schema_version (one bigint PRIMARY KEY "
                   "CHECK (one = 1), version bigint NOT NULL); "
                   "INSERT INTO schema_version VALUES (1, 0) ON CONFLICT DO NOTHING",
                   (long long)pg->lock, pg->url.schema, pg->tenants ? "_tenants" : "");
    rp_err err = rp_pg_exec(pg, sql);
    return rp_ok(err) ? RP_OK : fail(pg, err, "make the schema", diag);
}

static rp_err read_version(struct rp_pg *pg, size_t count, size_t *ret_version,
                           struct rp_diag *diag) {
    int64_t version = -1;
    RP_TRY(rp_pg_number(pg, "SELECT version FROM schema_version WHERE one = 1", &version));
    if (version < 0) {
        return rp_fail(diag, RP_ERR(CORRUPT), "postgresql: version %lld", (long long)version);
    }
    if ((uint64_t)version > count) {
        return rp_fail(diag, RP_ERR(EXISTS_NEWER),
                       "postgresql, schema %s%s: written by a newer version (%lld; this program "
                       "knows up to %zu)",
                       pg->url.schema, pg->tenants ? "_tenants" : "", (long long)version, count);
    }
    *ret_version = (size_t)version;
    return RP_OK;
}

static rp_err run_steps(struct rp_pg *pg, struct rp_diag *diag) {
    struct steps steps = steps_of(pg);
    size_t version = 0;
    RP_TRY(begin(pg, diag));
    RP_TRY(read_version(pg, steps.count, &version, diag));
    for (size_t i = version; i < steps.count; i++) {
        rp_err err = rp_pg_exec(pg, steps.list[i].sql);
        if (!rp_ok(err)) {
            return fail(pg, err, steps.list[i].name, diag);
        }
    }
    char sql[RP_PG_SQL_MAX];
    (void)snprintf(sql, sizeof sql, "UPDATE schema_version SET version = %zu; COMMIT", steps.count);
    return rp_pg_exec(pg, sql);
}

/* Asked first without writing: all but the first start find everything done. */
bool rp_pg_is_current(struct rp_pg *pg) {
    char sql[RP_PG_SQL_MAX];
    int64_t there = 0, version = 0;
    (void)snprintf(sql, sizeof sql,
                   "SELECT count(*) FROM pg_tables WHERE schemaname = '%s%s' AND tablename = "
                   "'schema_version'",
                   pg->url.schema, pg->tenants ? "_tenants" : "");
    return rp_ok(rp_pg_number(pg, sql, &there)) && there == 1 &&
           rp_ok(rp_pg_number(pg, "SELECT version FROM schema_version WHERE one = 1", &version)) &&
           (uint64_t)version == steps_of(pg).count;
}

rp_err rp_pg_migrate(struct rp_pg *pg, struct rp_diag *diag) {
    if (rp_pg_is_current(pg)) {
        return RP_OK;
    }
    rp_err err = run_steps(pg, diag);
    if (!rp_ok(err) && PQtransactionStatus(pg->conn) != PQTRANS_IDLE) {
        rp_ignore(rp_pg_exec(pg, "ROLLBACK")); /* the first error is the one to tell */
    }
    return err;
}

/* ---- who may read ---- */

/* Its own rows alone, as for everybody, but for whose rows there are: it turns from one to the
 * next. */
static const char grant[] =
    "DO $$ DECLARE reader text := current_user || '_reader'; BEGIN "
    "EXECUTE format('GRANT USAGE ON SCHEMA %I TO %I', current_schema(), reader); "
    "EXECUTE format('GRANT SELECT ON ALL TABLES IN SCHEMA %I TO %I', current_schema(), reader); "
    "IF EXISTS (SELECT FROM pg_policies WHERE schemaname = current_schema() AND tablename = "
    "'owner' "
    "AND policyname = 'own_tenant') THEN "
    "EXECUTE 'DROP POLICY IF EXISTS reader_finds_all ON owner'; "
    "EXECUTE format('CREATE POLICY reader_finds_all ON owner FOR SELECT TO %I USING (true)', "
    "reader); "
    "END IF; END $$";

static rp_err count_shut(struct rp_pg *pg, int64_t *ret_count) {
    return rp_pg_number(
        pg,
        "SELECT count(*) FROM pg_tables t JOIN pg_roles r ON r.rolname = "
        "current_user || '_reader' WHERE t.schemaname = current_schema() AND NOT "
        "has_table_privilege(r.oid, format('%I.%I', t.schemaname, t.tablename), 'SELECT')",
        ret_count);
}

static rp_err open_if_shut(struct rp_pg *pg) {
    int64_t shut = 0;
    RP_TRY(count_shut(pg, &shut));
    return shut > 0 ? rp_pg_exec(pg, grant) : RP_OK;
}

/* One after the other: many start at once, and what a server says of its tables two may not change.
 */
rp_err rp_pg_let_reader_in(struct rp_pg *pg) {
    int64_t shut = 0;
    char sql[RP_PG_SQL_MAX];
    RP_TRY(count_shut(pg, &shut));
    if (shut == 0) {
        return RP_OK;
    }
    (void)snprintf(sql, sizeof sql, "BEGIN; SELECT pg_advisory_xact_lock(%lld)",
                   (long long)pg->lock);
    rp_err err = rp_pg_exec(pg, sql);
    if (rp_ok(err)) {
        err = open_if_shut(pg);
    }
    rp_err ended = rp_pg_exec(pg, rp_ok(err) ? "COMMIT" : "ROLLBACK");
    return rp_ok(err) ? ended : err;
}
