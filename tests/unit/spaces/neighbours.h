/* neighbours.h — two organisations on a real store and a real key service, and a person of one. */
#ifndef RP_TESTS_NEIGHBOURS_H
#define RP_TESTS_NEIGHBOURS_H

#include "identity/identity.h"
#include "spaces/spaces.h"
#include "stack.h"
#include "unit.h"

struct neighbours {
    struct stack stack;
    struct unit_world world;
    struct rp_env env;
    struct rp_store *store;
    struct rp_keys *keys;
    struct rp_identity *identity;
    struct rp_arena *arena;
    rp_id alpha, beta;
};

void neighbours_start(struct neighbours *near);
void neighbours_stop(struct neighbours *near);
/* A handle as core makes it for one request; the key is good until the next handle. */
struct rp_space neighbours_space(struct neighbours *near, rp_id tenant);

#endif
