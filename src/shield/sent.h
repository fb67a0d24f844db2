/* sent.h — what applications are sent by signed-in people whom the rules let through: methods,
 * places, names, and of values the kind and length alone. The ground for a proposed model
 * (sent_model.c, `rempart waf model learn`).
 *
 * A part of each worker's notes (notes.h), with the same salt, slots and rules: different people
 * and organisations are counted and not named, one person alone makes RP_SENT_ALONE_MAX rows at
 * most, what was not seen for RP_NOTE_DAYS is forgotten, a torn or damaged row is none.
 *
 * Pure: works on mapped memory. Promises: S58.
 */
#ifndef RP_SHIELD_SENT_H
#define RP_SHIELD_SENT_H

#include "base/buf.h"
#include "base/err.h"
#include "base/id.h"
#include "shield/notes.h"

enum { RP_SENT_ROWS = 2048, RP_SENT_ALONE_MAX = 128, RP_SENT_METHOD_MAX = 16 };

/* What a row is about. The name: of a segment its number from 1; of a member of JSON the way to it,
 * "items.[].sku"; of a type the body's media type. */
enum rp_sent_place {
    RP_SENT_REQUEST, /* nameless: the method and the path themselves */
    RP_SENT_SEGMENT,
    RP_SENT_QUERY,
    RP_SENT_FORM,
    RP_SENT_JSON,
    RP_SENT_TYPE,
    RP_SENT_PLACE_COUNT
};

/* What all values of a row could be. */
enum {
    RP_SENT_INTEGER = 1,
    RP_SENT_NUMBER = 2,
    RP_SENT_BOOLEAN = 4,
    RP_SENT_UUID = 8,
    RP_SENT_DATE = 16,
    RP_SENT_KINDS = 31
};

struct rp_sent {
    uint32_t lock; /* the seqlock's */
    uint8_t place, kinds, people, organisations;
    uint8_t app_len, method_len, path_len, name_len;
    uint32_t shortest, longest; /* bytes of values */
    uint32_t pad;
    uint64_t key; /* 0 = free */
    uint64_t count;
    int64_t first_ms, last_ms;
    uint64_t person[RP_NOTE_PEOPLE], organisation[RP_NOTE_ORGANISATIONS];
    uint8_t app[32];
    uint8_t method[RP_SENT_METHOD_MAX];
    uint8_t name[RP_NOTE_NAME_MAX];
    uint8_t path[128]; /* its shape */
};
_Static_assert(sizeof(struct rp_sent) % 8 == 0, "slots are copied by words");

struct rp_sent_seen {
    enum rp_sent_place place;
    rp_view app, method, path, name, value;
    rp_id person, organisation;
    int64_t now_ms;
};

/* The writer's side, of a table of notes. What is not plain ASCII, or too long, is not taken. */
void rp_sent_see(void *table, const struct rp_sent_seen *seen);
/* The way to a member: "json.items.array_3.sku" is "items.[].sku". False: none, or too long. */
bool rp_sent_json_name(rp_view name, uint8_t out[static RP_NOTE_NAME_MAX], size_t *ret_len);
unsigned rp_sent_kinds_of(rp_view value);

/* The reader's side: false for a free, torn or damaged row, and for what is too old. */
bool rp_sent_get(const void *table, size_t index, int64_t now_ms, struct rp_sent *ret_sent);
/* Both of one key. */
void rp_sent_merge(struct rp_sent *into, const struct rp_sent *from);

/* ---- sent_model.c ---- */

struct rp_sent_all {
    struct rp_sent *rows; /* of one application */
    size_t count;
};
/* How many different ones it takes before a row is believed. */
struct rp_sent_least {
    unsigned people, organisations;
};
/* An OpenAPI file (3.1, YAML) of the rows that enough people are behind; rp_model_read takes it.
 * How many rows are left out stands in its head. Sorts the rows. TOO_LARGE. */
rp_err rp_sent_model(struct rp_sent_all *all, rp_view app, struct rp_sent_least least,
                     enum rp_lang lang, struct rp_buf *out);

static inline rp_view rp_sent_path(const struct rp_sent *sent) {
    return rp_view_of(sent->path, sent->path_len);
}
static inline rp_view rp_sent_method(const struct rp_sent *sent) {
    return rp_view_of(sent->method, sent->method_len);
}
static inline rp_view rp_sent_name(const struct rp_sent *sent) {
    return rp_view_of(sent->name, sent->name_len);
}

#endif
