/* register_desk.h — who sits at the registers' desk, for this request. */
#ifndef RP_WEB_REGISTER_DESK_H
#define RP_WEB_REGISTER_DESK_H

#include "register/desk.h"
#include "web/handlers.h"

enum { RP_DESK_IDS_MAX = 200 }; /* in one question */

/* The desk of whoever asks: person, token or owner, as the access check found them. */
rp_err rp_desk_open(struct rp_request *request, struct rp_desk *ret_desk);
/* The same at the register that the address names. NOT_FOUND, DENIED (a token's scope). */
rp_err rp_desk_at(struct rp_request *request, struct rp_desk *ret_desk,
                  const struct rp_register **ret_reg);
/* The same and the record that the address names, by its id or its number, read or not. */
rp_err rp_desk_at_record(struct rp_request *request, struct rp_desk *ret_desk,
                         const struct rp_register **ret_reg, rp_id *ret_id);
/* Who may read the register; whose own the record is may read that, too. DENIED. */
rp_err rp_desk_check_read(struct rp_request *request, const struct rp_desk *desk,
                          const struct rp_register *reg, const struct rp_entry *record);
/* A move as its request asks for it, read and not yet made; its register, its record. */
struct rp_register_move_request {
    const struct rp_register *reg;
    rp_id id;
    rp_view move;
    struct rp_change change;
    const struct rp_json *signature; /* NULL = none came */
};
rp_err rp_register_read_move(struct rp_request *request, struct rp_desk *ret_desk,
                             struct rp_register_move_request *ret_wanted);
/* The signature, verified and put into the change as evidence. INVALID, DENIED (of another change,
 * or not good), REPLAYED (its challenge is old, or was used). */
rp_err rp_register_take_signature(struct rp_request *request,
                                  struct rp_register_move_request *wanted);
/* Sort and filter of a saved view into a query of its register; INVALID. */
rp_err rp_query_of_view(struct rp_request *request, const struct rp_json *view,
                        struct rp_query *query);
rp_err rp_register_view_find(struct rp_request *request, struct rp_desk *desk,
                             const struct rp_register *reg, rp_view name,
                             struct rp_json **ret_query);
/* Does the token's scope reach this register? Always true without a token. */
bool rp_staff_covers(const struct rp_request *request, const struct rp_register *reg);
/* A register as JSON: what the console builds its pages from. */
struct rp_json *rp_register_describe(struct rp_arena *arena, const struct rp_register *reg);
/* Schemas of all registers into the OpenAPI document's components. */
void rp_register_schemas(struct rp_arena *arena, const struct rp_registers *registers,
                         struct rp_json *components);

#endif
