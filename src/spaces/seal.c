/* seal.c — a document in, sealed bytes out, and back; bound to the record's place. */
#include "spaces/internal.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/aead.h"
#include "ipc/pack.h"
#include "wire/json.h"

enum { PLACE_MAX = 256 };

bool rp_collection_is_good(rp_view collection) {
    if (collection.n == 0 || collection.n > RP_COLLECTION_MAX) {
        return false;
    }
    for (size_t i = 0; i < collection.n; i++) {
        uint8_t c = collection.p[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-')) {
            return false;
        }
    }
    return true;
}

bool rp_space_takes(const struct rp_space *space, rp_view collection) {
    bool marked = collection.n > 0 && collection.p[0] == RP_FILES_MARK;
    return marked == space->files &&
           rp_collection_is_good(marked ? rp_view_from(collection, 1) : collection);
}

rp_err rp_record_canonical(rp_view text, struct rp_arena *arena, rp_view *ret_document,
                           struct rp_diag *diag) {
    RP_ASSERT(arena != NULL && ret_document != NULL);
    if (text.n > RP_RECORD_MAX) {
        return rp_fail(diag, RP_ERR(TOO_LARGE), "a document has at most %d bytes", RP_RECORD_MAX);
    }
    struct rp_json *root = NULL;
    RP_TRY(rp_json_parse(text, RP_JSON_LIMITS, arena, &root, diag));
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new_wiping(RP_RECORD_MAX);
    rp_err err = rp_json_print(root, &out);
    if (!rp_ok(err)) {
        return rp_fail(diag, err, "the document has no canonical form of at most %d bytes",
                       RP_RECORD_MAX);
    }
    return rp_arena_copy(arena, rp_buf_view(&out), ret_document);
}

/* Each part counted, so that no two places have the same bytes. */
static struct rp_buf place_bytes(const struct rp_record_place *place) {
    struct rp_buf aad = rp_buf_new(PLACE_MAX);
    bool labelled = place->label != RP_LABEL_NONE;
    rp_pack_bytes(&aad, labelled ? RP_VIEW("record2") : RP_VIEW("record"));
    rp_pack_id(&aad, place->tenant);
    rp_pack_bytes(&aad, place->app);
    rp_pack_bytes(&aad, place->collection);
    rp_pack_id(&aad, place->id);
    rp_pack_u64(&aad, place->version);
    if (labelled) {
        rp_pack_u64(&aad, (uint64_t)place->changed_ms);
        rp_pack_u64(&aad, (uint64_t)place->trashed_ms);
        rp_pack_u8(&aad, (uint8_t)place->label);
    }
    return aad;
}

/*= S82 */ /* a record is AES-256-GCM before it reaches the database */
rp_err rp_record_seal(const struct rp_env *env, const struct rp_secret *key,
                      const struct rp_record_place *place, rp_view document, struct rp_buf *out) {
    RP_ASSERT(key != NULL && place->version > 0);
    RP_ASSERT(place->label > RP_LABEL_NONE && place->label < RP_LABEL_COUNT);
    _cleanup_(rp_buf_done) struct rp_buf aad = place_bytes(place);
    RP_TRY(rp_buf_err(&aad));
    return rp_aead_seal(env, key, rp_buf_view(&aad), document, out);
}

/*= S67 */ /* a row from elsewhere, or of another version, does not open */
rp_err rp_record_open(const struct rp_secret *key, const struct rp_record_place *place,
                      rp_view sealed, struct rp_arena *arena, rp_view *ret_document) {
    RP_ASSERT(key != NULL && arena != NULL);
    _cleanup_(rp_buf_done) struct rp_buf aad = place_bytes(place);
    RP_TRY(rp_buf_err(&aad));
    _cleanup_(rp_buf_done) struct rp_buf plain = rp_buf_new_wiping(RP_RECORD_MAX);
    rp_err err = rp_aead_open(key, rp_buf_view(&aad), sealed, &plain);
    if (rp_is(err, RP_E_TOO_LARGE)) {
        return RP_ERR(CORRUPT); /* nothing of that size was ever sealed */
    }
    RP_TRY(err);
    return rp_arena_copy(arena, rp_buf_view(&plain), ret_document);
}
