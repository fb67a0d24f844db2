/* world.h — an installation for one test: databases, the real ledger and key service, a clock of
 * our own, and Ann of "Acme & Fils", who has an authenticator.
 */
#ifndef RP_TESTS_IDENTITY_WORLD_H
#define RP_TESTS_IDENTITY_WORLD_H

#include "unit.h"

#include "base/checked.h"

#include "identity/internal.h"
#include "notify/notify.h"
#include "stack.h"

#define EMAIL "Ann@Example.org"
#define PASSWORD "correct horse battery staple"
#define HERE RP_VIEW("192.0.2.1")
#define ELSEWHERE RP_VIEW("198.51.100.7")

enum { STEP_MS = 30000, MINUTE_MS = 60000 };

extern struct stack stack;
extern struct unit_world world;
extern struct rp_env env;
extern struct rp_store *store;
extern struct rp_keys *keys;
extern struct rp_identity *identity;
extern struct rp_db *central;
extern const rp_id nobody;
extern char ann_password[RP_PASSWORD_TEXT]; /* hashed once: it is slow on purpose */

void open_all(bool second_factor_required);
void close_all(void);
int setup(void **state);
int teardown(void **state);
void wait_ms(int64_t ms);
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

/* ---- a person with an authenticator ---- */

struct person {
    rp_id tenant, person;
    struct rp_token invitation;
    char seed[33];
};

/* The code of a step relative to now. */
rp_view code_at(const struct person *person, int64_t steps);
rp_view wrong_code(const struct person *person);
rp_view text(const struct rp_token *token);
struct person invited(void);
struct person enrolled(void);
/* The first step of a sign-in with Ann's address. */
rp_err with_password(bool matched, rp_view client, struct rp_token *ret_pending);
struct rp_session signed_in(const struct person *person, struct rp_token *ret_cookie);
/* The token in the link of the last letter of this kind, opened with the tenant's key; "" without.
 */
struct rp_token link_in(const struct person *person, enum rp_notice_kind kind);
/* How many waiting events of the system's outbox hold the text. */
size_t events_with(const char *needle);

#endif
