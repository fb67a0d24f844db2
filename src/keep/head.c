#include "keep/head.h"

#include "base/checked.h"
#include "wire/encode.h"
#include "wire/json.h"

enum { MAGIC = 17 };

static const uint8_t magic[] = "REMPART BACKUP 1\n";
_Static_assert(sizeof magic == MAGIC + 1, "seventeen bytes and a NUL");

/* The sealed things, by name; each has a size that it never exceeds. */
static const struct {
    const char *name;
    size_t place, max;
} blobs[] = {
    {"keyring", offsetof(struct rp_keep_head, keyring), RP_KEYRING_BYTES_MAX},
    {"passphrase", offsetof(struct rp_keep_head, passphrase), RP_ROOT_BYTES},
    {"recovery", offsetof(struct rp_keep_head, recovery), RP_ROOT_BYTES},
    {"root", offsetof(struct rp_keep_head, root), RP_ROOT_BYTES},
    {"wrapped", offsetof(struct rp_keep_head, wrapped), RP_WRAPPED_MAX},
};

static rp_view *blob_of(struct rp_keep_head *head, size_t i) {
    return (rp_view *)(void *)((uint8_t *)head + blobs[i].place);
}

static rp_err add_blobs(const struct rp_keep_head *head, struct rp_arena *arena,
                        struct rp_json *root) {
    struct rp_keep_head copy = *head;
    for (size_t i = 0; i < RP_COUNT_OF(blobs); i++) {
        _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(RP_KEEP_JSON_MAX);
        rp_view blob = *blob_of(&copy, i);
        if (blob.n > blobs[i].max) {
            return RP_ERR(TOO_LARGE);
        }
        if (blob.n > 0) {
            rp_base64_print(&text, blob);
            RP_TRY(rp_buf_err(&text));
            rp_json_add_string(arena, root, blobs[i].name, rp_buf_view(&text));
        }
    }
    return RP_OK;
}

rp_err rp_keep_head_print(const struct rp_keep_head *head, struct rp_arena *arena,
                          struct rp_buf *out) {
    struct rp_json *root = rp_json_object(arena);
    rp_json_add_string(arena, root, "host", head->host);
    rp_json_add_cstr(arena, root, "id", rp_id_print(head->id).s);
    rp_json_add_u64(arena, root, "made_at", (uint64_t)head->made_at_s);
    rp_json_add_u64(arena, root, "operator_size", head->operator_size);
    rp_json_add_string(arena, root, "version", head->version);
    RP_TRY(add_blobs(head, arena, root));
    _cleanup_(rp_buf_done) struct rp_buf json = rp_buf_new(RP_KEEP_JSON_MAX);
    RP_TRY(rp_json_print(root, &json));
    rp_buf_add(out, rp_view_of(magic, MAGIC));
    for (unsigned i = 0; i < 4; i++) {
        rp_buf_add_byte(out, (uint8_t)(json.n >> (24 - 8 * i)));
    }
    rp_buf_add(out, rp_buf_view(&json));
    return rp_buf_err(out);
}

rp_err rp_keep_head_length(rp_view prefix, size_t *ret_length) {
    if (prefix.n < RP_KEEP_PREFIX || !rp_view_starts(prefix, rp_view_of(magic, MAGIC - 2))) {
        return RP_ERR(CORRUPT);
    }
    if (!rp_view_starts(prefix, rp_view_of(magic, MAGIC))) {
        uint8_t version = prefix.p[MAGIC - 2];
        return version > '1' && version <= '9' ? RP_ERR(EXISTS_NEWER) : RP_ERR(CORRUPT);
    }
    size_t n = 0;
    for (unsigned i = 0; i < 4; i++) {
        n = n << 8 | prefix.p[MAGIC + i];
    }
    if (n > RP_KEEP_JSON_MAX) {
        return RP_ERR(CORRUPT);
    }
    *ret_length = RP_KEEP_PREFIX + n;
    return RP_OK;
}

static rp_err read_blobs(const struct rp_json *root, struct rp_arena *arena,
                         struct rp_keep_head *head, size_t *ret_count) {
    *ret_count = 0;
    for (size_t i = 0; i < RP_COUNT_OF(blobs); i++) {
        const struct rp_json *one = rp_json_get(root, blobs[i].name);
        rp_view *blob = blob_of(head, i);
        if (!one) {
            continue;
        }
        if (one->kind != RP_JSON_STRING || !rp_ok(rp_base64_decode(one->string, arena, blob)) ||
            blob->n == 0 || blob->n > blobs[i].max) {
            return RP_ERR(CORRUPT);
        }
        (*ret_count)++;
    }
    return RP_OK;
}

static size_t members(const struct rp_json *root) {
    size_t n = 0;
    for (const struct rp_json *one = root->first; one; one = one->next) {
        n++;
    }
    return n;
}

static bool read_facts(const struct rp_json *root, struct rp_keep_head *head) {
    uint64_t made_at = 0;
    head->host = rp_json_get_string(root, "host");
    head->version = rp_json_get_string(root, "version");
    bool good = root->kind == RP_JSON_OBJECT &&
                rp_id_parse(rp_json_get_string(root, "id"), &head->id) &&
                rp_json_get_u64(root, "made_at", &made_at) &&
                rp_json_get_u64(root, "operator_size", &head->operator_size) &&
                made_at < (uint64_t)1 << 40 && head->host.p && head->host.n <= RP_KEEP_HOST_MAX &&
                head->version.p && head->version.n <= RP_KEEP_VERSION_MAX;
    head->made_at_s = (int64_t)made_at;
    return good;
}

rp_err rp_keep_head_parse(rp_view bytes, struct rp_arena *arena, struct rp_keep_head *ret_head,
                          struct rp_diag *diag) {
    struct rp_keep_head head = {.made_at_s = 0};
    struct rp_json *root = NULL;
    size_t length = 0, count = 0;
    RP_TRY(rp_keep_head_length(bytes, &length));
    if (length != bytes.n) {
        return rp_fail(diag, RP_ERR(CORRUPT), "the head is cut off");
    }
    rp_err err =
        rp_json_parse(rp_view_from(bytes, RP_KEEP_PREFIX), RP_JSON_LIMITS, arena, &root, diag);
    if (rp_is(err, RP_E_TOO_LARGE)) {
        return err;
    }
    if (!rp_ok(err) || !read_facts(root, &head) || !rp_ok(read_blobs(root, arena, &head, &count)) ||
        members(root) != 5 + count) {
        return rp_fail(diag, RP_ERR(CORRUPT), "not the head of a backup");
    }
    *ret_head = head;
    return RP_OK;
}
