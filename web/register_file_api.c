/* register_file_api.c — evidence in by pieces and out whole. */
#include "base/assert.h"
#include "base/checked.h"
#include "register/evidence.h"
#include "web/register_desk.h"

static rp_err read_sha256(struct rp_request *request, struct rp_sha256 *ret_sum) {
    rp_view text = rp_request_query(request, "sha256");
    return text.n == 2 * RP_SHA256 && rp_hex_parse(text, ret_sum->b, sizeof ret_sum->b)
               ? RP_OK
               : rp_fail(&request->diag, RP_ERR(INVALID), "sha256: 64 × 0-9a-f");
}

/* ?sha256=…&piece=0&pieces=3, the bytes as body: at most 256 KiB. {"filed":true} with the last. */
rp_err rp_api_register_file_put(struct rp_request *request) {
    struct rp_desk desk;
    struct rp_piece piece = {.bytes = request->fcgi->body};
    bool filed = false;
    rp_view at = rp_request_query(request, "piece"), of = rp_request_query(request, "pieces");
    RP_TRY(rp_desk_at_record(request, &desk, &piece.reg, &piece.record));
    if (!rp_view_starts(rp_request_param(request, "CONTENT_TYPE"),
                        RP_VIEW("application/octet-stream"))) {
        return rp_fail(&request->diag, RP_ERR(UNSUPPORTED),
                       "Content-Type: application/octet-stream");
    }
    RP_TRY(read_sha256(request, &piece.sha256));
    if (!rp_view_to_u64(at, RP_PIECES_MAX, &piece.piece) ||
        !rp_view_to_u64(of, INT32_MAX, &piece.pieces)) {
        return rp_fail(&request->diag, RP_ERR(INVALID), "piece=0&pieces=1");
    }
    RP_TRY(rp_desk_file_piece(&desk, &piece, &filed));
    struct rp_json *root = rp_json_object(request->arena);
    rp_json_add_bool(request->arena, root, "filed", filed);
    return rp_api_send(request, 200, root);
}

rp_err rp_api_register_file_get(struct rp_request *request) {
    struct rp_desk desk;
    const struct rp_register *reg = NULL;
    struct rp_entry record;
    struct rp_sha256 sum;
    rp_id id;
    RP_TRY(rp_desk_at_record(request, &desk, &reg, &id));
    RP_TRY(read_sha256(request, &sum));
    RP_TRY(rp_desk_read(&desk, reg, id, &record));
    RP_TRY(rp_desk_check_read(request, &desk, reg, &record));
    RP_TRY(rp_desk_read_file(&desk, &record, &sum, &request->response.body));
    request->response.status = 200;
    request->response.content_type = "application/octet-stream";
    /* Never a page of ours, whatever was handed in. */
    rp_response_head(&request->response, "Content-Disposition", RP_VIEW("attachment"));
    return RP_OK;
}
