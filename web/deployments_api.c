/* deployments_api.c — may this go out? What a pipeline asks before it deploys (S62).
 *
 * 200 with the change that approves it; else 403, code "unapproved", with the reason: a pipeline
 * that looks at the status alone stops by itself.
 */
#include "register/deploy.h"
#include "web/register_desk.h"

static void add_field(struct rp_arena *arena, struct rp_json *json, const struct rp_entry *change,
                      const char *name) {
    rp_view value = rp_json_get_string(change->facts.open, name);
    if (value.n > 0) {
        rp_json_add_string(arena, json, name, value);
    }
}

static rp_err send_approval(struct rp_request *request, const struct rp_artefact *artefact,
                            const struct rp_entry *change) {
    struct rp_arena *arena = request->arena;
    struct rp_json *root = rp_json_object(arena);
    rp_json_add_bool(arena, root, "approved", true);
    rp_json_add_string(
        arena, root, "artefact",
        rp_arena_printf(arena, "%s:%.*s", artefact->git ? "git" : "sha256", RP_FMT(artefact->hex)));
    struct rp_json *json = rp_json_add_object(arena, root, "change");
    rp_json_add_cstr(arena, json, "id", change->facts.id_text.s);
    rp_json_add_u64(arena, json, "number", change->facts.number);
    rp_json_add_string(arena, json, "state", change->facts.state);
    add_field(arena, json, change, "approved_by");
    add_field(arena, json, change, "approved_at");
    add_field(arena, json, change, "approved_until");
    return rp_api_send(request, 200, root);
}

rp_err rp_api_deployment(struct rp_request *request) {
    struct rp_desk desk;
    struct rp_artefact artefact;
    struct rp_entry change;
    RP_TRY(rp_desk_open(request, &desk));
    const struct rp_register *changes = rp_register_find(desk.registers, RP_VIEW("changes"));
    if (!changes || !rp_staff_covers(request, changes)) {
        return rp_fail(&request->diag, RP_ERR(DENIED), "scope");
    }
    if (!rp_artefact_parse_loose(request->segments[0], &artefact)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "sha256:… | git:…");
    }
    RP_TRY(rp_desk_may_deploy(&desk, &artefact, &change));
    return send_approval(request, &artefact, &change);
}
