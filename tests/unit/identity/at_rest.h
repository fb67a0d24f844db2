/* at_rest.h — what lies in a database of PostgreSQL, for tests that look for what must not lie
 * there in clear. What SQLite keeps is a file, which they read themselves. */
#ifndef RP_TESTS_IDENTITY_AT_REST_H
#define RP_TESTS_IDENTITY_AT_REST_H

#include "store/store.h"

/* Whether any value of any row holds the bytes: a text as it is (with XML's escapes), a value of
 * bytes anywhere in it. */
bool rows_hold(struct rp_db *db, rp_view bytes);

#endif
