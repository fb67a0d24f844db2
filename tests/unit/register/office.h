/* office.h — what the tests of the registers share: a desk, a clock of their own, Ann and Bob. */
#ifndef RP_TESTS_REGISTER_OFFICE_H
#define RP_TESTS_REGISTER_OFFICE_H

#include "unit.h"

#include "base/checked.h"
#include "register/desk.h"

extern struct unit_world world;
extern struct rp_env env;
extern struct rp_db *db;
extern struct rp_arena *lasting, *arena;
extern struct rp_registers registers;
extern struct rp_secret *key;
extern struct rp_diag diag; /* of the last desk */
extern rp_id ann, bob;      /* accounts */
extern rp_id ann_record, bob_record;

static const int64_t day_ms = (int64_t)86400000;

int setup(void **state);
int teardown(void **state);
struct rp_desk owner(void);
/* An operator who showed the second factor a moment ago. */
struct rp_desk person(rp_id account);
const struct rp_register *reg_of(const char *id);
struct rp_change change_of(const char *json);
rp_err try_create(struct rp_desk desk, const char *reg, const char *json, rp_id *ret_id);
void check(rp_err err);
rp_id create(struct rp_desk desk, const char *reg, const char *json);
rp_err move(struct rp_desk desk, const char *reg, rp_id id, const char *name, const char *json);
rp_err edit(struct rp_desk desk, const char *reg, rp_id id, const char *json);
/* The pattern with its one %s filled. */
void text_of(char *out, size_t n, const char *pattern, rp_id id);
rp_id new_person(const char *name, rp_id account);
/* How many waiting events hold the text. */
size_t events_with(const char *needle);
/* A register's file beside all that there are: taken where refusal is NULL, else refused with it.
 */
void assert_register_file(const char *text, const char *refusal);

#endif
