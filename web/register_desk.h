/* register_desk.h — who sits at the registers' desk, for this request. */
#ifndef RP_WEB_REGISTER_DESK_H
#define RP_WEB_REGISTER_DESK_H

#include "register/desk.h"
#include "web/handlers.h"

/* The desk of whoever asks: person, token or owner, as the access check found them. */
rp_err rp_desk_open(struct rp_request *request, struct rp_desk *ret_desk);
/* Does the token's scope reach this register? Always true without a token. */
bool rp_staff_covers(const struct rp_request *request, const struct rp_register *reg);
/* A register as JSON: what the console builds its pages from. */
struct rp_json *rp_register_describe(struct rp_arena *arena, const struct rp_register *reg);
/* Schemas of all registers into the OpenAPI document's components. */
void rp_register_schemas(struct rp_arena *arena, const struct rp_registers *registers,
                         struct rp_json *components);

#endif
