/* trust_data.c — the public page for programs: JSON, Atom, a badge. */
#include "base/assert.h"
#include "base/checked.h"
#include "web/handlers.h"
#include "web/templates.h"
#include "web/trust.h"

enum { SENTENCES_MAX = 16384 };

/* ---- /trust.json ---- */

static void add_time(struct rp_request *request, struct rp_json *to, const char *name, int64_t ms) {
    if (ms > 0) {
        rp_json_add_cstr(request->arena, to, name, rp_time_print(ms / 1000).s);
    } else {
        rp_json_add_null(request->arena, to, name);
    }
}

static void add_letter(struct rp_request *request, struct rp_json *to, const char *name,
                       char letter) {
    if (letter) {
        rp_json_add_string(request->arena, to, name, rp_view_of(&letter, 1));
    } else {
        rp_json_add_null(request->arena, to, name);
    }
}

static void add_evidence(struct rp_request *request, struct rp_json *to,
                         const struct rp_trust_part *part) {
    if (!part->seen.has_leaf) {
        rp_json_add_null(request->arena, to, "evidence");
        return;
    }
    struct rp_json *evidence = rp_json_add_object(request->arena, to, "evidence");
    rp_json_add_cstr(request->arena, evidence, "tree", "public");
    rp_json_add_u64(request->arena, evidence, "index", part->seen.leaf);
    rp_json_add_string(
        request->arena, evidence, "proof_url",
        rp_arena_printf(request->arena, "/trust/evidence/%s.tlog-proof", part->part->id));
}

static void add_part(struct rp_request *request, struct rp_json *list,
                     const struct rp_trust_part *part) {
    struct rp_arena *arena = request->arena;
    int64_t observed = part->seen.observed_ms;
    struct rp_json *json = rp_json_add_object(arena, list, NULL);
    rp_json_add_cstr(arena, json, "id", part->part->id);
    rp_json_add_cstr(arena, json, "probe", part->part->probe);
    add_letter(request, json, "grade", part->part->grade);
    rp_json_add_cstr(arena, json, "status", rp_status_name(part->status));
    add_time(request, json, "observed_at", observed);
    add_time(request, json, "valid_until", observed ? observed + part->part->validity_ms : 0);
    rp_json_add_cstr(arena, json, "detail", part->seen.detail[RP_EN]);
    rp_json_add_cstr(arena, json, "detail_fr", part->seen.detail[RP_FR]);
    add_evidence(request, json, part);
}

/* All sentences of the promise as one text. */
static void add_text(struct rp_request *request, struct rp_json *text,
                     const struct rp_promise *promise, enum rp_lang lang, const char *name) {
    struct rp_buf all = rp_buf_new(SENTENCES_MAX);
    for (size_t i = 0; i < promise->sentence_count; i++) {
        rp_buf_add_cstr(&all, i ? " " : "");
        rp_buf_add(&all, rp_trust_say(request, promise->sentences[i].text.s[lang]));
    }
    rp_json_add_string(request->arena, text, name, rp_buf_view(&all));
    rp_buf_done(&all);
}

/*= S1, S2, S3: no sentence stands without its status */
static void add_promise(struct rp_request *request, struct rp_json *list,
                        const struct rp_trust_promise *from) {
    struct rp_arena *arena = request->arena;
    const struct rp_promise *promise = from->promise;
    struct rp_json *json = rp_json_add_object(arena, list, NULL);
    rp_json_add_cstr(arena, json, "id", promise->id);
    struct rp_json *sentences = rp_json_add_array(arena, json, "sentences");
    for (size_t i = 0; i < promise->sentence_count; i++) {
        rp_json_add_string(arena, sentences, NULL,
                           rp_arena_printf(arena, "S%u", promise->sentences[i].number));
    }
    struct rp_json *text = rp_json_add_object(arena, json, "text");
    add_text(request, text, promise, RP_FR, "fr");
    add_text(request, text, promise, RP_EN, "en");
    rp_json_add_cstr(arena, json, "status", rp_status_name(from->status));
    add_letter(request, json, "grade", from->grade);
    struct rp_json *parts = rp_json_add_array(arena, json, "parts");
    for (size_t i = 0; i < promise->part_count; i++) {
        add_part(request, parts, &from->parts[i]);
    }
}

rp_err rp_trust_json(struct rp_request *request) {
    struct rp_trust trust;
    RP_TRY(rp_trust_compute(request, &trust));
    struct rp_json *root = rp_json_object(request->arena);
    add_time(request, root, "generated_at", trust.now_ms);
    rp_json_add_cstr(request->arena, root, "operator", request->web->config->operator_name);
    struct rp_trust_firewall firewall = rp_trust_firewall(request);
    if (firewall.sha256.p) {
        struct rp_json *rules = rp_json_add_object(request->arena, root, "firewall");
        rp_json_add_string(request->arena, rules, "rule_set", firewall.rule_set);
        rp_json_add_u64(request->arena, rules, "rules", firewall.rules);
        rp_json_add_string(request->arena, rules, "sha256", firewall.sha256);
    }
    struct rp_json *list = rp_json_add_array(request->arena, root, "promises");
    for (size_t i = 0; i < request->web->promises->count; i++) {
        add_promise(request, list, &trust.promises[i]);
    }
    request->response.cache = "no-cache";
    return rp_api_send(request, 200, root);
}

/* ---- the feed and the badge ---- */

rp_err rp_trust_feed(struct rp_request *request) {
    struct rp_trust trust;
    RP_TRY(rp_trust_compute(request, &trust));
    size_t count = request->web->promises->count;
    struct rp_template_feed_xml feed = {.updated = rp_page_time_iso(request, trust.now_ms),
                                        .base = rp_trust_base(request)};
    feed.entries.p = rp_arena_array(request->arena, count, sizeof *feed.entries.p);
    if (!feed.entries.p) {
        return RP_ERR(NO_MEMORY);
    }
    for (size_t i = 0; i < count; i++) {
        const struct rp_trust_promise *promise = &trust.promises[i];
        if (!promise->observed_ms) {
            continue; /* nothing was ever seen: nothing to report */
        }
        rp_view word = rp_trust_word(request, promise->status);
        feed.entries.p[feed.entries.n++] = (struct rp_template_feed_xml_entries){
            .id = rp_view_from_cstr(promise->promise->id),
            .status = rp_trust_class(promise->status),
            .title =
                rp_arena_printf(request->arena, "%s: %.*s", promise->promise->id, RP_FMT(word)),
            .updated = rp_page_time_iso(request, promise->observed_ms),
            .summary = rp_trust_say(request, promise->promise->sentences[0].text.s[request->lang])};
    }
    rp_template_feed_xml_print(&request->response.body, request->lang, &feed);
    request->response.content_type = "application/atom+xml; charset=utf-8";
    request->response.cache = "no-cache";
    return RP_OK;
}

rp_err rp_trust_badge(struct rp_request *request) {
    struct rp_trust trust;
    RP_TRY(rp_trust_compute(request, &trust));
    const struct rp_template_badge_svg badge = {
        .proven = trust.counts[RP_STATUS_PROVEN],
        .total = trust.total,
        .colour = trust.counts[RP_STATUS_FAILING] ? RP_VIEW("#9c1c1c") : RP_VIEW("#14603f")};
    rp_template_badge_svg_print(&request->response.body, request->lang, &badge);
    request->response.content_type = "image/svg+xml";
    request->response.for_others = true;
    request->response.cache = "no-cache";
    return RP_OK;
}
