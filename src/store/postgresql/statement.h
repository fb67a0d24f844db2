/* statement.h — a prepared statement, as statement.c binds it and run.c runs it. */
#ifndef RP_STORE_PG_STATEMENT_H
#define RP_STORE_PG_STATEMENT_H

#include "base/buf.h"
#include "store/postgresql/pg.h"

enum { RP_PG_NAME = 24 };

struct rp_pg_value {
    Oid type; /* 0: NULL, of whatever type fits */
    bool null;
    size_t at, n;
};

struct rp_pg_statement {
    struct rp_pg *pg; /* whose it is: it outlives the databases that are seen through it */
    char name[RP_PG_NAME];
    unsigned life; /* of the connection that it was prepared on; 0: not at all */
    bool changes;  /* INSERT, UPDATE, DELETE */
    struct rp_pg_places places;
    Oid types[RP_PG_PLACES_MAX]; /* as prepared */
    struct rp_pg_value values[RP_PG_PLACES_MAX];
    struct rp_buf bytes; /* of the values */
    struct rp_buf sql;
    PGresult *result;
    const struct rp_db *of; /* whose result that is */
    int row;                /* the next one to answer */
    bool streamed;          /* rows come one by one, and not all have come */
    uint64_t changed;
};

static inline struct rp_pg_statement *rp_pg_statement_of(const struct rp_row *row) {
    return row->own;
}

static inline struct rp_pg *rp_pg_of(const struct rp_row *row) {
    return rp_pg_statement_of(row)->pg;
}

/* On this connection, with the types of what is bound. */
rp_err rp_pg_prepare_there(struct rp_pg *pg, struct rp_pg_statement *s);
/* What runs is over, whether all of it was read or not. */
void rp_pg_end(struct rp_pg *pg, struct rp_pg_statement *s);

#endif
