/* kms_world.h — the real key service beside the real ledger, for one test: who asks it as core and
 * as the command line, and what the operator's tree says of it.
 */
#ifndef RP_TESTS_KMS_WORLD_H
#define RP_TESTS_KMS_WORLD_H

#include "unit.h"

#include "base/checked.h"
#include "event/event.h"
#include "ipc/table.h"
#include "keys/client.h"
#include "keys/messages.h"
#include "stack.h"
#include "wire/json.h"

extern const rp_id alice, bob;
extern struct stack stack;
extern struct rp_arena *arena;
/* Core's clock runs ahead of ours by this much, so that leases end when the test says so. */
extern int64_t ahead_ns;

int start(void **state);
int begin(void **state);
int begin_with_a_passphrase(void **state);
int finish(void **state);
#define BESIDE_THE_LEDGER(f) cmocka_unit_test_setup_teardown(f, begin, finish)
#define SEALED(f) cmocka_unit_test_setup_teardown(f, begin_with_a_passphrase, finish)

struct rp_keys *new_keys(void);
struct rp_buf new_wrapped(struct rp_keys *keys, rp_id tenant);

/* ---- the operator's tree, read from its files like a stranger would ---- */

/* field NULL: any event of the kind will do. */
size_t count_now(enum rp_event_kind kind, const char *field, rp_view value);
/* The ledger signs what it has four times a second; so the tree is looked at until it is there. */
void assert_on_record(enum rp_event_kind kind, const char *field, rp_view value, size_t at_least);
/* Valid until the next call. */
rp_view id_text(rp_id id);

/* ---- the command line's side ---- */

rp_err cli(enum rp_ipc_message message, rp_view request, struct rp_buf *reply);
rp_err unseal(uint8_t kind, rp_view opener);
rp_err rotate(void);
/* The code's text in the arena. */
rp_err recovery(bool renew, rp_view *ret_code);
const struct rp_json *status(void);
bool is_sealed(const struct rp_json *inventory);

#endif
