/* internal.h — how a record lies in its row: sealed to its place and version. */
#ifndef RP_SPACES_INTERNAL_H
#define RP_SPACES_INTERNAL_H

#include "spaces/spaces.h"

/* Where a record belongs; all of it is bound into what is sealed. */
struct rp_record_place {
    rp_id tenant;
    rp_view app, collection;
    rp_id id;
    uint64_t version;
};

/* Reads any JSON, answers its canonical form in the arena. SYNTAX, TOO_LARGE. */
rp_err rp_record_canonical(rp_view text, struct rp_arena *arena, rp_view *ret_document,
                           struct rp_diag *diag);
/* Appends the sealed form. */
rp_err rp_record_seal(const struct rp_env *env, const struct rp_secret *key,
                      const struct rp_record_place *place, rp_view document, struct rp_buf *out);
/* The document, in the arena. CORRUPT unless it was sealed for exactly this place. */
rp_err rp_record_open(const struct rp_secret *key, const struct rp_record_place *place,
                      rp_view sealed, struct rp_arena *arena, rp_view *ret_document);
/* [a-z0-9-]{1,64} */
bool rp_collection_is_good(rp_view collection);

#endif
