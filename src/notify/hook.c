#include "notify/hook.h"

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "ipc/pack.h"
#include "wire/encode.h"

enum { SECRET_LEAST = 24, SECRET_MOST = 64 };

bool rp_hook_wants(rp_view pattern, rp_view type) {
    if (pattern.n > 0 && pattern.p[pattern.n - 1] == '*') {
        return rp_view_starts(type, rp_view_sub(pattern, 0, pattern.n - 1));
    }
    return rp_view_equal(pattern, type);
}

rp_err rp_hook_read(rp_view entry, struct rp_arena *arena, struct rp_hook_event *ret_event) {
    struct rp_hook_event event = {.time_ms = 0};
    uint64_t time_ms = 0;
    RP_TRY(rp_json_parse(entry, RP_JSON_LIMITS, arena, &event.entry, NULL));
    event.type = rp_json_get_string(rp_json_get(event.entry, "metadata"), "event_code");
    if (event.type.n == 0 || !rp_json_get_u64(event.entry, "time", &time_ms) ||
        time_ms > INT64_MAX) {
        return RP_ERR(CORRUPT);
    }
    event.time_ms = (int64_t)time_ms;
    *ret_event = event;
    return RP_OK;
}

rp_err rp_hook_print(const struct rp_hook_event *event, uint64_t index, struct rp_arena *arena,
                     struct rp_buf *out) {
    struct rp_json *root = rp_json_object(arena);
    rp_json_add(arena, root, "data", event->entry);
    rp_json_add_u64(arena, root, "index", index);
    rp_json_add_cstr(arena, root, "timestamp", rp_time_print(event->time_ms / 1000).s);
    rp_json_add_cstr(arena, root, "tree", "operator");
    rp_json_add_string(arena, root, "type", event->type);
    RP_TRY(rp_json_print(root, out));
    return rp_buf_err(out);
}

rp_err rp_hook_print_test(int64_t now_ms, struct rp_arena *arena, struct rp_buf *out) {
    struct rp_json *root = rp_json_object(arena);
    rp_json_add_object(arena, root, "data");
    rp_json_add_cstr(arena, root, "timestamp", rp_time_print(now_ms / 1000).s);
    rp_json_add_cstr(arena, root, "type", "test");
    RP_TRY(rp_json_print(root, out));
    return rp_buf_err(out);
}

rp_id rp_hook_id(rp_view name, uint64_t index, rp_view body) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(RP_HOOK_BODY_MAX + 128);
    rp_id id;
    rp_pack_bytes(&text, name);
    rp_pack_u64(&text, index);
    rp_pack_bytes(&text, body);
    RP_ASSERT(rp_ok(rp_buf_err(&text)));
    struct rp_sha256 sum = rp_sha256_of(rp_buf_view(&text));
    memcpy(id.b, sum.b, sizeof id.b);
    return id;
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
