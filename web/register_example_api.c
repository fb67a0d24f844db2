/* register_example_api.c — the example company, loaded and removed by the machine's owner. */
#include "web/register_desk.h"

static rp_err send_count(struct rp_request *request, const char *what, uint64_t count) {
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_u64(request->arena, root, what, count);
    return rp_api_send(request, 200, root);
}

/* {"steps":[…]}, as examples/company.yaml says. */
rp_err rp_admin_example_load(struct rp_request *request) {
    struct rp_desk desk;
    struct rp_json *body = NULL;
    uint64_t count = 0;
    RP_TRY(rp_request_json(request, &body, &request->diag));
    RP_TRY(rp_desk_open(request, &desk));
    RP_TRY(rp_desk_load_example(&desk, body, &count));
    return send_count(request, "loaded", count);
}

rp_err rp_admin_example_remove(struct rp_request *request) {
    struct rp_desk desk;
    uint64_t count = 0;
    RP_TRY(rp_desk_open(request, &desk));
    RP_TRY(rp_desk_remove_example(&desk, &count));
    return send_count(request, "removed", count);
}
