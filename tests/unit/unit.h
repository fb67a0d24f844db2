/* unit.h — what every unit test starts with: cmocka, and assertions on our own types. */
#ifndef RP_TESTS_UNIT_H
#define RP_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/env.h"
#include "base/err.h"

/* Fails with both texts when they differ. */
void unit_assert_view(rp_view got, rp_view want, const char *file, int line);
#define assert_view(got, literal) unit_assert_view((got), RP_VIEW(literal), __FILE__, __LINE__)
#define assert_view_equal(got, want) unit_assert_view((got), (want), __FILE__, __LINE__)

/* Fails with the error's name. */
void unit_assert_err(rp_err got, enum rp_code want, const char *file, int line);
#define assert_ok(expression) unit_assert_err((expression), RP_E_NONE, __FILE__, __LINE__)
#define assert_err(expression, name) unit_assert_err((expression), RP_E_##name, __FILE__, __LINE__)

/* Hexadecimal text to bytes, in static storage of 4 KiB; the next call overwrites it. */
rp_view unit_hex(const char *text);

/* A deterministic world: time stands still until the test moves it, chance is a counter's hash. */
struct unit_world {
    int64_t now_ns;
    uint64_t random_state;
};
struct rp_env unit_env(struct unit_world *world);

/* A new empty folder below $TMPDIR; unit_dir_remove deletes it and all it holds. */
char *unit_dir_new(void);
void unit_dir_remove(char *path);

/* How many pages of a mapping take memory. */
size_t unit_pages_in(void *mapping, size_t n);

/* A whole file; fails the test when it cannot be read. Free with test_free. */
uint8_t *unit_file(const char *path, size_t *ret_n);

/* A folder of foreign test data below REMPART_CORPORA, which scripts/test sets to ../shared/corpora
 * where that is there; or NULL: then the test calls skip(), in plain sight. */
const char *unit_corpora(const char *name);

/* "sqlite:", or the PostgreSQL that REMPART_STORE names, with a schema that belongs to the folder
 * in which the test stands: each world has its own there, too. Static storage. */
const char *unit_store_url(void);

#endif
