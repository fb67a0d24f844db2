#include "spaces/manifest.h"

#include "base/checked.h"
#include "base/env.h"
#include "clock/calendar.h"
#include "wire/json.h"

static const char head[] = "{\"files\":[", tail[] = "\n],\n";

void rp_manifest_add(struct rp_buf *list, const struct rp_manifest_part *part) {
    char hex[2 * RP_SHA256 + 1] = {0};
    rp_hex_print(rp_view_of(part->hash.b, sizeof part->hash.b), hex);
    rp_buf_printf(list, "%s\n{\"bytes\":%llu,\"name\":\"%s\"", list->n ? "," : "",
                  (unsigned long long)part->bytes, part->name);
    if (part->records != RP_NO_RECORDS) {
        rp_buf_printf(list, ",\"records\":%llu", (unsigned long long)part->records);
    }
    rp_buf_printf(list, ",\"sha256\":\"%s\"}", hex);
}

void rp_manifest_print(const struct rp_manifest *manifest, rp_view list, struct rp_buf *out) {
    rp_buf_add_cstr(out, head);
    rp_buf_add(out, list);
    rp_buf_add_cstr(out, tail);
    rp_buf_printf(out,
                  "\"format\":%d,\"made_at\":\"%s\",\"records\":%llu,\"tenant\":\"%s\","
                  "\"with_bytes\":%llu}\n",
                  RP_MANIFEST_FORMAT, rp_time_print(manifest->made_s).s,
                  (unsigned long long)manifest->records, rp_id_print(manifest->tenant).s,
                  (unsigned long long)manifest->with_bytes);
}

/* The line of the list in which two texts part. */
static rp_view line_at(rp_view list, rp_view other) {
    size_t at = 0, start = 0, n = RP_MIN(list.n, other.n);
    while (at < n && list.p[at] == other.p[at]) {
        start = list.p[at] == '\n' ? at + 1 : start;
        at++;
    }
    rp_view line = rp_view_from(list, start);
    return rp_view_cut(&line, '\n');
}

/* What stands behind the list, as an object of its own. */
static rp_err read_facts(rp_view text, struct rp_arena *arena, struct rp_manifest *ret_manifest,
                         struct rp_diag *diag) {
    struct rp_json *json = NULL;
    uint64_t format = 0;
    int64_t made_ms = 0;
    rp_view object = rp_arena_printf(arena, "{%.*s", RP_FMT(text));
    if (!object.p) {
        return RP_ERR(NO_MEMORY);
    }
    if (!rp_ok(rp_json_parse(object, RP_JSON_LIMITS, arena, &json, NULL)) ||
        !rp_json_get_u64(json, "format", &format)) {
        return rp_fail(diag, RP_ERR(CORRUPT), "manifest.json is damaged behind its list");
    }
    if (format != RP_MANIFEST_FORMAT) {
        return rp_fail(diag, RP_ERR(UNSUPPORTED), "an export of format %llu; this program reads %d",
                       (unsigned long long)format, RP_MANIFEST_FORMAT);
    }
    struct rp_manifest facts = {.made_s = 0};
    bool whole = rp_json_get_u64(json, "records", &facts.records) &&
                 rp_json_get_u64(json, "with_bytes", &facts.with_bytes) &&
                 rp_instant_parse(rp_json_get_string(json, "made_at"), &made_ms) &&
                 rp_id_parse(rp_json_get_string(json, "tenant"), &facts.tenant);
    if (!whole) {
        return rp_fail(diag, RP_ERR(CORRUPT), "manifest.json lacks made_at, records or tenant");
    }
    facts.made_s = made_ms / 1000;
    *ret_manifest = facts;
    return RP_OK;
}

rp_err rp_manifest_check(rp_view text, rp_view list, struct rp_arena *arena,
                         struct rp_manifest *ret_manifest, struct rp_diag *diag) {
    rp_view start = rp_view_from_cstr(head), end = rp_view_from_cstr(tail);
    if (!rp_view_starts(text, start)) {
        return rp_fail(diag, RP_ERR(CORRUPT), "manifest.json does not begin with its list");
    }
    rp_view said = rp_view_from(text, start.n);
    if (!rp_view_starts(said, list) || !rp_view_starts(rp_view_from(said, list.n), end)) {
        return rp_fail(diag, RP_ERR(CORRUPT), "the archive is not as its manifest says, at %.*s",
                       (int)RP_MIN((size_t)120, line_at(list, said).n),
                       (const char *)line_at(list, said).p);
    }
    return read_facts(rp_view_from(said, list.n + end.n), arena, ret_manifest, diag);
}
