/* migrate.h — the numbered steps of each schema, as text.
 *
 * Made by sql/embed.sh from sql/sqlite/ and sql/postgresql/; what a step means for who has the data
 * already is each engine's (sqlite/migrate.h, postgresql/migrate.c).
 */
#ifndef RP_STORE_MIGRATE_H
#define RP_STORE_MIGRATE_H

#include "base/err.h"

struct rp_migration {
    const char *name; /* the file it came from */
    const char *sql;
};

/* SQLite's. */
extern const struct rp_migration rp_migrations_system[];
extern const size_t rp_migrations_system_count;
extern const struct rp_migration rp_migrations_tenant[];
extern const size_t rp_migrations_tenant_count;
/* PostgreSQL's. */
extern const struct rp_migration rp_pg_migrations_system[];
extern const size_t rp_pg_migrations_system_count;
extern const struct rp_migration rp_pg_migrations_tenant[];
extern const size_t rp_pg_migrations_tenant_count;

#endif
