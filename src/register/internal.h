/* internal.h — what the files of the desk share: rows, and the MAC that makes them ours. */
#ifndef RP_REGISTER_INTERNAL_H
#define RP_REGISTER_INTERNAL_H

#include "base/checked.h"
#include "crypto/hash.h"
#include "register/desk.h"
#include "register/value.h"

enum { RP_RECORD_JSON_MAX = 64 * 1024 };

/* The columns of register_record in the order that rp_row_entry reads them. */
#define RP_RECORD_COLUMNS                                                                          \
    "r.row, r.id, r.number, r.state, r.version, r.author, r.created_ms, r.changed_ms, "            \
    "r.example, r.body, r.sealed, r.mac, r.register"

/* Copies the row into the arena; checks the MAC and opens what is sealed where there is a key. */
rp_err rp_row_entry(struct rp_desk *desk, struct rp_row *row, struct rp_entry *ret_record);
/* NOT_FOUND, CORRUPT; no event. */
rp_err rp_entry_by_id(struct rp_desk *desk, const struct rp_register *reg, rp_id id,
                      struct rp_entry *ret_record);
/* Of whatever register, as clocks name it. */
rp_err rp_entry_by_subject(struct rp_desk *desk, rp_id id, struct rp_entry *ret_record);
/* Appends what the MAC covers and computes it. */
rp_err rp_entry_mac(const struct rp_desk *desk, const struct rp_entry *record, rp_view body,
                    rp_view sealed, struct rp_sha256 *ret_mac);
rp_err rp_entry_seal(const struct rp_desk *desk, rp_id id, rp_view what, rp_view plain,
                     struct rp_buf *out);
rp_err rp_entry_open(const struct rp_desk *desk, rp_id id, rp_view what, rp_view sealed,
                     struct rp_buf *out);
/* Do both print the same? Two absent ones do. */
bool rp_json_same(const struct rp_json *a, const struct rp_json *b);
struct rp_event *rp_desk_event(const struct rp_desk *desk, enum rp_event_kind kind,
                               const struct rp_entry *record);

/* Under which name a desk's records of this register lie. */
static inline rp_view rp_desk_shelf(const struct rp_desk *desk, const struct rp_register *reg) {
    return rp_view_from_cstr(desk->canary ? reg->canary_shelf : reg->id);
}

static inline int64_t rp_desk_now_ms(const struct rp_desk *desk) {
    return rp_env_now_ms(desk->env) - desk->past_ms;
}

static inline rp_view rp_text_of_id(const struct rp_id_text *text) {
    return rp_view_of(text->s, RP_ID_TEXT);
}

#endif
