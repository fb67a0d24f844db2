#include "web/admin_page.h"

#include "base/assert.h"
#include "base/checked.h"
#include "web/handlers.h"

rp_err rp_page_open_tenant(struct rp_request *request, enum rp_action action,
                           struct rp_space *ret_space) {
    RP_TRY(rp_request_allow(request, action));
    struct rp_space space = {
        .env = &request->web->env, .tenant = request->who.tenant, .person = request->who.person};
    RP_TRY(rp_store_tenant(request->thread->store, space.tenant, false, &space.db, &request->diag));
    RP_TRY(rp_identity_tenant_key(request->thread->identity, space.tenant, &space.key));
    *ret_space = space;
    return RP_OK;
}

rp_view rp_page_person(struct rp_request *request, rp_id id) {
    struct rp_person person;
    rp_err err = rp_identity_person(request->thread->identity, id, request->who.tenant, &person);
    return rp_ok(err) ? rp_arena_printf(request->arena, "%s", person.email)
                      : rp_arena_printf(request->arena, "%.8s…", rp_id_print(id).s);
}

rp_view rp_page_say(struct rp_request *request, enum rp_text_key key, rp_view one, rp_view two,
                    rp_view three) {
    rp_view rest = rp_text(request->lang, key), out = RP_VIEW("");
    const rp_view with[] = {one, two, three};
    for (size_t i = 0; rest.n > 0; i++) {
        size_t at = rp_view_find(rest, RP_VIEW("{}"));
        bool gap = at < rest.n && i < RP_COUNT_OF(with);
        rp_view before = gap ? rp_view_sub(rest, 0, at) : rest;
        rp_view value = gap ? with[i] : RP_VIEW("");
        out = rp_arena_printf(request->arena, "%.*s%.*s%.*s", RP_FMT(out), RP_FMT(before),
                              RP_FMT(value));
        rest = gap ? rp_view_from(rest, at + 2) : RP_VIEW("");
    }
    return out;
}
