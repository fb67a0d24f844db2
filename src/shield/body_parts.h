/* body_parts.h — inside the body readers: what each kind is made of, and texts over borders.
 *
 * A text grows by runs of bytes. While its runs follow each other in memory it is a view of the
 * caller's chunk; with the first run from elsewhere it moves into the arena. So whoever reads
 * bytes need not know where a chunk ends, and a body in one piece is not copied.
 */
#ifndef RP_SHIELD_BODY_PARTS_H
#define RP_SHIELD_BODY_PARTS_H

#include "shield/body.h"

struct rp_body_text {
    uint8_t *p;
    size_t n, room; /* room 0: borrowed */
};

struct rp_body_reader {
    bool (*start)(struct rp_body *body, rp_view content_type); /* false: no memory */
    void (*feed)(struct rp_body *body, rp_view chunk);
    void (*end)(struct rp_body *body);
};
extern const struct rp_body_reader rp_body_form, rp_body_json, rp_body_multipart, rp_body_xml;

struct rp_body {
    const struct rp_body_reader *reader;
    struct rp_body_limits limits;
    struct rp_arena *arena;
    struct rp_body_result result;
    void *state;     /* of the reader, in the arena */
    uint64_t before; /* bytes of the chunks that are done */
    rp_err failed;   /* the first: nothing is read after it */
};

/* False when the arena is full; body->failed says so. */
bool rp_body_text_copy(struct rp_body *body, struct rp_body_text *text, rp_view run); /* always */
static inline bool rp_body_text_add(struct rp_body *body, struct rp_body_text *text, rp_view run) {
    bool follows = run.n == 0 || text->n == 0 || text->p + text->n == run.p;
    if (text->room > 0 || !follows) {
        return rp_body_text_copy(body, text, run);
    }
    if (run.n > 0) {
        text->p = text->n == 0 ? (uint8_t *)(uintptr_t)run.p : text->p;
        text->n += run.n;
    }
    return true;
}
bool rp_body_text_add_byte(struct rp_body *body, struct rp_body_text *text, uint8_t byte);
static inline rp_view rp_body_text_view(const struct rp_body_text *text) {
    return rp_view_of(text->p, text->n);
}
/* n bytes of the arena; NULL: body->failed is set. */
void *rp_body_alloc(struct rp_body *body, size_t n);

/* The first error of a body stays; its reader stops. */
void rp_body_error(struct rp_body *body, const char *message);
#define RP_BODY_TOO_MANY "more arguments than SecArgumentsLimit"
/* One argument more; too many are an error. False: the reader stops. */
bool rp_body_argument(struct rp_body *body, rp_view name, rp_view value, uint64_t offset);
void rp_body_pair(struct rp_body *body, struct rp_waf_pairs *pairs, rp_view name, rp_view value);
static inline bool rp_body_stopped(const struct rp_body *body) {
    return body->result.error || !rp_ok(body->failed);
}

#endif
