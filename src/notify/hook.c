#include "notify/hook.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "crypto/secret.h"
#include "wire/encode.h"
#include "wire/json.h"

enum { SECRET_LEAST = 24, SECRET_MOST = 64 };

rp_err rp_hook_print(const struct rp_notice_row *row, const struct rp_notice_content *content,
                     struct rp_arena *arena, struct rp_buf *out) {
    struct rp_json *root = rp_json_object(arena);
    rp_json_add_cstr(arena, root, "type", rp_notice_kind_name(row->kind));
    struct rp_json *data = rp_json_add_object(arena, root, "data");
    for (size_t i = 0; i < content->value_count; i++) {
        rp_json_add_string(arena, data, content->values[i].name, content->values[i].value);
    }
    RP_TRY(rp_json_print(root, out));
    return rp_buf_err(out);
}

rp_err rp_hook_secret_parse(rp_view text, struct rp_secret **ret_secret) {
    static const rp_view prefix = RP_VIEW_INIT("whsec_");
    text = rp_view_trim(text);
    if (!rp_view_starts(text, prefix)) {
        return RP_ERR(INVALID);
    }
    struct rp_buf bytes = rp_buf_new(SECRET_MOST);
    rp_err err = rp_base64_parse(rp_view_from(text, prefix.n), &bytes);
    bool good = rp_ok(err) && rp_ok(rp_buf_err(&bytes)) && bytes.n >= SECRET_LEAST;
    err = good ? rp_secret_new_take(bytes.p, bytes.n, ret_secret) : RP_ERR(INVALID);
    rp_wipe(bytes.p, bytes.capacity);
    rp_buf_done(&bytes);
    return err;
}

rp_err rp_hook_sign(const struct rp_secret *secret, rp_id id, int64_t now_s, rp_view body,
                    char ret_signature[static RP_HOOK_SIGNATURE + 1]) {
    _cleanup_(rp_buf_done) struct rp_buf all = rp_buf_new(RP_HOOK_BODY_MAX + 128);
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(RP_HOOK_SIGNATURE);
    rp_buf_printf(&all, "%s.%lld.", rp_id_print(id).s, (long long)now_s);
    rp_buf_add(&all, body);
    RP_TRY(rp_buf_err(&all));
    struct rp_sha256 sum = rp_hmac_sha256(secret, rp_buf_view(&all));
    rp_buf_add_cstr(&text, "v1,");
    rp_base64_print(&text, rp_view_of(sum.b, sizeof sum.b));
    RP_TRY(rp_buf_err(&text));
    RP_ASSERT(text.n == RP_HOOK_SIGNATURE);
    memcpy(ret_signature, text.p, text.n);
    ret_signature[text.n] = 0;
    return RP_OK;
}
