/* store_url.h — where a store lies, as its URL says it.
 *
 *   sqlite:                                                  files below db/ and tenants/
 *   postgresql://USER@/DATABASE?host=/FOLDER[&port=N][&schema=NAME]
 *
 * PostgreSQL is reached by its UNIX socket alone: the processes that open it have no right to
 * another, and no password is kept (peer authentication). No escapes (%41) are taken, for no part
 * needs one. Pure.
 */
#ifndef RP_WIRE_STORE_URL_H
#define RP_WIRE_STORE_URL_H

#include "base/err.h"

/* A schema's name leaves room for "_tenants" in PostgreSQL's 63 bytes. */
enum { RP_STORE_PART = 64, RP_STORE_FOLDER = 96, RP_STORE_SCHEMA_MAX = 54 };

struct rp_store_url {
    bool files; /* "sqlite:"; what follows is empty then */
    char user[RP_STORE_PART], database[RP_STORE_PART], schema[RP_STORE_PART];
    char folder[RP_STORE_FOLDER]; /* where PostgreSQL's socket lies */
    char port[8];                 /* "5432" unless said */
};

/* UNSUPPORTED for another scheme, INVALID for what is not as above; diag says which part, and what
 * to do. */
rp_err rp_store_url_parse(rp_view text, struct rp_store_url *ret_url, struct rp_diag *diag);

#endif
