/* trust_page.c — the public page as HTML: every sentence, in words, with its evidence. */
#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "web/handlers.h"
#include "web/templates.h"
#include "web/trust.h"

enum { PAGE_MAX = 8 * 1024 * 1024, STATUS_FILE_MAX = 65536 };

typedef struct rp_template_trust_sections page_section;
typedef struct rp_template_trust_sections_promises page_promise;
typedef struct rp_template_trust_sections_promises_sentences page_sentence;
typedef struct rp_template_trust_sections_promises_parts page_part;
typedef struct rp_template_trust_roles page_role;

static rp_view text_of(struct rp_request *request, const struct rp_text *text) {
    const char *said = text->s[request->lang];
    return said ? rp_trust_say(request, said) : (rp_view){NULL, 0};
}

static rp_view evidence_path(struct rp_request *request, const struct rp_part *part,
                             const char *ending) {
    return rp_arena_printf(request->arena, "/trust/evidence/%s%s", part->id, ending);
}

static rp_view run_command(struct rp_request *request, const struct rp_promise *promise) {
    return rp_arena_printf(request->arena, "rempart promises run %s", promise->id);
}

static void fill_part(struct rp_request *request, const struct rp_trust_part *from, page_part *to) {
    const struct rp_part *part = from->part;
    const struct rp_observation *seen = &from->seen;
    *to = (page_part){.id = rp_view_from_cstr(part->id),
                      .probe = rp_view_from_cstr(part->probe),
                      .grade = rp_arena_printf(request->arena, "%c", part->grade),
                      .status = rp_trust_class(from->status),
                      .word = rp_trust_word(request, from->status),
                      .shows = text_of(request, &part->shows)};
    if (seen->observed_ms == 0) {
        return;
    }
    int64_t until = seen->observed_ms + part->validity_ms;
    to->detail = rp_arena_printf(request->arena, "%s", seen->detail[request->lang]);
    to->last = rp_page_time(request, seen->observed_ms);
    to->last_iso = rp_page_time_iso(request, seen->observed_ms);
    to->until = rp_page_time(request, until);
    to->until_iso = rp_page_time_iso(request, until);
    to->runs = seen->runs;
    to->failures = seen->failures;
    to->has_leaf = seen->has_leaf;
    to->leaf = seen->leaf;
    to->page = evidence_path(request, part, "");
    to->proof = evidence_path(request, part, ".tlog-proof");
    to->entry = evidence_path(request, part, ".json");
}

static rp_err fill_promise(struct rp_request *request, const struct rp_trust_promise *from,
                           page_promise *to) {
    const struct rp_promise *promise = from->promise;
    page_sentence *sentences =
        rp_arena_array(request->arena, promise->sentence_count, sizeof *sentences);
    page_part *parts = rp_arena_array(request->arena, promise->part_count, sizeof *parts);
    if (!sentences || !parts) {
        return RP_ERR(NO_MEMORY);
    }
    for (size_t i = 0; i < promise->sentence_count; i++) {
        sentences[i].name = rp_arena_printf(request->arena, "S%u", promise->sentences[i].number);
        sentences[i].text = text_of(request, &promise->sentences[i].text);
    }
    for (size_t i = 0; i < promise->part_count; i++) {
        fill_part(request, &from->parts[i], &parts[i]);
    }
    *to = (page_promise){.id = rp_view_from_cstr(promise->id),
                         .status = rp_trust_class(from->status),
                         .word = rp_trust_word(request, from->status),
                         .enforced_by = text_of(request, &promise->enforced_by),
                         .not_met = text_of(request, &promise->not_met),
                         .command = run_command(request, promise)};
    if (from->grade && from->status != RP_STATUS_NOT_BUILT) {
        to->grade = rp_arena_printf(request->arena, "%c", from->grade);
    }
    if (from->observed_ms) {
        to->last = rp_page_time(request, from->observed_ms);
        to->last_iso = rp_page_time_iso(request, from->observed_ms);
    }
    to->sentences.p = sentences;
    to->sentences.n = promise->sentence_count;
    to->parts.p = parts;
    to->parts.n = promise->part_count;
    return RP_OK;
}

/* Which promises a reader asked for: those of one status, or all. */
struct wanted {
    bool one;
    enum rp_status status;
};

static rp_err read_wanted(struct rp_request *request, struct wanted *ret_wanted) {
    rp_view name = rp_request_query(request, "status");
    *ret_wanted = (struct wanted){.one = name.p != NULL};
    for (int i = 0; name.p && i < RP_STATUS_COUNT; i++) {
        ret_wanted->status = (enum rp_status)i;
        if (rp_view_equal(rp_trust_class(ret_wanted->status), name)) {
            return RP_OK;
        }
    }
    return name.p ? rp_fail(&request->diag, RP_ERR(INVALID),
                            "status: one such as proven, failing, stale, not-met or not-built")
                  : RP_OK;
}

static rp_err fill_section(struct rp_request *request, const struct rp_trust *trust,
                           const struct rp_section *from, struct wanted wanted, page_section *to) {
    size_t count = request->web->promises->count;
    page_promise *list = rp_arena_array(request->arena, count, sizeof *list);
    if (!list) {
        return RP_ERR(NO_MEMORY);
    }
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        const struct rp_trust_promise *promise = &trust->promises[i];
        if (strcmp(promise->promise->section, from->id) == 0 &&
            (!wanted.one || promise->status == wanted.status)) {
            RP_TRY(fill_promise(request, promise, &list[n++]));
        }
    }
    *to =
        (page_section){.id = rp_view_from_cstr(from->id), .title = text_of(request, &from->title)};
    to->promises.p = list;
    to->promises.n = n;
    return RP_OK;
}

/* ---- isolation, as the supervisor published it ---- */

static bool flag(const struct rp_json *isolation, const char *name) {
    bool value = false;
    return rp_json_get_bool(isolation, name, &value) && value;
}

static void fill_role(const struct rp_json *role, page_role *to) {
    const struct rp_json *isolation = rp_json_get(role, "isolation");
    uint64_t abi = 0;
    *to = (page_role){.name = rp_json_get_string(role, "name"),
                      .user = flag(isolation, "own_user"),
                      .files = rp_json_get_u64(isolation, "landlock_abi", &abi) && abi > 0,
                      .calls = flag(isolation, "seccomp"),
                      .network = flag(isolation, "network_fenced")};
}

static void fill_isolation(struct rp_request *request, struct rp_template_trust *page) {
    rp_view text;
    struct rp_json *status = NULL;
    if (!rp_ok(rp_file_read("run/status.json", STATUS_FILE_MAX, request->arena, &text)) ||
        !rp_ok(rp_json_parse(text, RP_JSON_LIMITS, request->arena, &status, NULL))) {
        return;
    }
    const struct rp_json *roles = rp_json_get(status, "roles");
    page_role *list = roles ? rp_arena_array(request->arena, roles->count, sizeof *list) : NULL;
    if (!list) {
        return;
    }
    size_t n = 0;
    for (const struct rp_json *role = roles->first; role; role = role->next) {
        fill_role(role, &list[n++]);
    }
    page->has_isolation = true;
    page->roles.p = list;
    page->roles.n = n;
}

/* ---- the page ---- */

/* Sections in which nothing of what is wanted stands are left out. */
static rp_err fill_sections(struct rp_request *request, const struct rp_trust *trust,
                            struct wanted wanted, struct rp_template_trust *page) {
    const struct rp_promises *all = request->web->promises;
    page->sections.p = rp_arena_array(request->arena, all->section_count, sizeof *page->sections.p);
    if (!page->sections.p) {
        return RP_ERR(NO_MEMORY);
    }
    for (size_t i = 0; i < all->section_count; i++) {
        page_section *section = &page->sections.p[page->sections.n];
        RP_TRY(fill_section(request, trust, &all->sections[i], wanted, section));
        page->sections.n += section->promises.n > 0;
    }
    return RP_OK;
}

static void fill_tally(struct rp_request *request, const struct rp_trust *trust,
                       struct wanted wanted, struct rp_template_trust *page) {
    static const enum rp_status order[] = {
        RP_STATUS_PROVEN,  RP_STATUS_FAILING,   RP_STATUS_STALE,         RP_STATUS_DECLARED,
        RP_STATUS_NOT_MET, RP_STATUS_NOT_BUILT, RP_STATUS_NOT_APPLICABLE};
    page->tally.p = rp_arena_array(request->arena, RP_STATUS_COUNT, sizeof *page->tally.p);
    for (size_t i = 0; page->tally.p && i < RP_COUNT_OF(order); i++) {
        size_t count = trust->counts[order[i]];
        if (count > 0) {
            page->tally.p[page->tally.n].status = rp_trust_class(order[i]);
            page->tally.p[page->tally.n].word = rp_trust_words(request, order[i], count);
            page->tally.p[page->tally.n].chosen = wanted.one && wanted.status == order[i];
            page->tally.p[page->tally.n++].count = count;
        }
    }
}

rp_err rp_trust_page(struct rp_request *request) {
    struct wanted wanted;
    RP_TRY(read_wanted(request, &wanted));
    struct rp_trust trust;
    RP_TRY(rp_trust_compute(request, &trust));
    struct rp_template_trust page = {.filtered = wanted.one,
                                     .generated = rp_page_time(request, trust.now_ms),
                                     .generated_iso = rp_page_time_iso(request, trust.now_ms),
                                     .operator=
                                         rp_view_from_cstr(request->web->config->operator_name),
                                     .log_key = rp_trust_log_key(request),
                                     .proven = trust.counts[RP_STATUS_PROVEN],
                                     .total = trust.total};
    fill_tally(request, &trust, wanted, &page);
    RP_TRY(fill_sections(request, &trust, wanted, &page));
    fill_isolation(request, &page);
    struct rp_trust_firewall firewall = rp_trust_firewall(request);
    page.has_firewall = firewall.sha256.p != NULL;
    page.rule_set = firewall.rule_set;
    page.rules_sha256 = firewall.sha256;
    page.rules = firewall.rules;
    struct rp_buf body = rp_buf_new(PAGE_MAX);
    rp_template_trust_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_trust_title, &body, true);
    request->response.cache = "no-cache";
    return RP_OK;
}

/* ---- one part's evidence ---- */

static rp_err send_leaf(struct rp_request *request, const struct rp_trust_part *part, bool proof) {
    if (!part->seen.has_leaf) {
        return RP_ERR(NOT_FOUND);
    }
    struct rp_log *log = NULL;
    RP_TRY(rp_trust_log(request, &log));
    if (proof) {
        RP_TRY(rp_log_proof(log, part->seen.leaf, &request->response.body));
        request->response.content_type = "text/plain; charset=utf-8";
        rp_response_head(&request->response, "Content-Disposition",
                         rp_arena_printf(request->arena, "attachment; filename=\"%s.tlog-proof\"",
                                         part->part->id));
        return RP_OK;
    }
    rp_view entry;
    RP_TRY(rp_log_entry(log, part->seen.leaf, request->arena, &entry));
    rp_buf_add(&request->response.body, entry);
    request->response.content_type = "application/json";
    return RP_OK;
}

static rp_err show_evidence(struct rp_request *request, const struct rp_trust_part *part,
                            const struct rp_trust_promise *promise) {
    struct rp_template_evidence page = {
        .part_id = rp_view_from_cstr(part->part->id),
        .word = rp_trust_word(request, part->status),
        .status = rp_trust_class(part->status),
        .grade = rp_arena_printf(request->arena, "%c", part->part->grade),
        .probe = rp_view_from_cstr(part->part->probe),
        .shows = text_of(request, &part->part->shows),
        .command = run_command(request, promise->promise),
        .log_key = rp_trust_log_key(request),
        .leaf = part->seen.leaf,
        .proof = evidence_path(request, part->part, ".tlog-proof"),
        .entry_file = evidence_path(request, part->part, ".json")};
    if (part->seen.observed_ms > 0) {
        page.detail = rp_view_from_cstr(part->seen.detail[request->lang]);
        page.last = rp_page_time(request, part->seen.observed_ms);
        page.last_iso = rp_page_time_iso(request, part->seen.observed_ms);
    }
    struct rp_log *log = NULL;
    if (part->seen.has_leaf) {
        RP_TRY(rp_trust_log(request, &log));
        RP_TRY(rp_log_entry(log, part->seen.leaf, request->arena, &page.entry));
        page.has_leaf = true;
        page.verify = rp_arena_printf(request->arena,
                                      "rempart verify %s.tlog-proof --entry %s.json --key '%.*s'",
                                      part->part->id, part->part->id, RP_FMT(page.log_key));
    }
    struct rp_buf body = rp_buf_new(256 * 1024);
    rp_template_evidence_print(&body, request->lang, &page);
    rp_page_finish(request, RP_TEXT_trust_evidence, &body, true);
    request->response.cache = "no-cache";
    return RP_OK;
}

rp_err rp_trust_evidence(struct rp_request *request) {
    rp_view id = request->segments[0];
    bool proof = rp_view_ends(id, RP_VIEW(".tlog-proof"));
    bool entry = rp_view_ends(id, RP_VIEW(".json"));
    id.n -= proof ? strlen(".tlog-proof") : entry ? strlen(".json") : 0;
    struct rp_trust trust;
    RP_TRY(rp_trust_compute(request, &trust));
    const struct rp_trust_promise *promise = NULL;
    const struct rp_trust_part *part = rp_trust_find_part(request, &trust, id, &promise);
    if (!part) {
        return RP_ERR(NOT_FOUND);
    }
    return proof || entry ? send_leaf(request, part, proof) : show_evidence(request, part, promise);
}
