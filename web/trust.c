#include "web/trust.h"

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "os/shm.h"

enum { KEY_MAX = 1024, TEXT_MAX = 16384 };

/* ---- what the probes saw ---- */

/* A table that is missing or strange holds nothing: its parts are stale. */
static bool open_table(const char *path, struct rp_shm *ret_table) {
    struct rp_shm table;
    if (!rp_ok(rp_shm_open(path, false, rp_promise_table_bytes(), &table))) {
        return false;
    }
    if (!rp_ok(rp_shm_survive(&table)) || !rp_ok(rp_promise_table_check(table.p, table.n))) {
        rp_shm_done(&table);
        return false;
    }
    *ret_table = table;
    return true;
}

static void observe(const struct rp_shm *table, bool open, const struct rp_part *part,
                    struct rp_observation *ret_seen) {
    *ret_seen = (struct rp_observation){.verdict = RP_VERDICT_NONE};
    if (open) {
        struct rp_observation seen;
        if (rp_ok(rp_promise_table_get(table->p, part->id, &seen))) {
            *ret_seen = seen;
        }
    }
}

struct tables {
    struct rp_shm outside, files;
    bool has_outside, has_files;
};

static void observe_part(const struct tables *tables, const struct rp_part *part,
                         struct rp_observation *ret_seen) {
    bool files = part->probe_index >= 0 && rp_probes[part->probe_index].role == RP_PROBE_FILES;
    if (files) {
        observe(&tables->files, tables->has_files, part, ret_seen);
    } else {
        observe(&tables->outside, tables->has_outside, part, ret_seen);
    }
}

/* ---- one promise ---- */

static rp_err compute_promise(struct rp_request *request, const struct tables *tables,
                              int64_t now_ms, struct rp_trust_promise *out) {
    const struct rp_promise *promise = out->promise;
    enum rp_status *statuses =
        rp_arena_array(request->arena, promise->part_count, sizeof *statuses);
    out->parts = rp_arena_array(request->arena, promise->part_count, sizeof *out->parts);
    if (!statuses || !out->parts) {
        return RP_ERR(NO_MEMORY);
    }
    bool all_seen = promise->part_count > 0;
    for (size_t i = 0; i < promise->part_count; i++) {
        struct rp_trust_part *part = &out->parts[i];
        part->part = &promise->parts[i];
        observe_part(tables, part->part, &part->seen);
        part->status = rp_part_status(part->part, &part->seen, now_ms);
        statuses[i] = part->status;
        out->grade = RP_MAX(out->grade, part->part->grade);
        int64_t seen_ms = part->seen.observed_ms;
        all_seen = all_seen && seen_ms > 0;
        out->observed_ms = out->observed_ms == 0 ? seen_ms : RP_MIN(out->observed_ms, seen_ms);
    }
    out->observed_ms = all_seen ? out->observed_ms : 0;
    out->status = rp_promise_status(statuses, promise->part_count);
    return RP_OK;
}

rp_err rp_trust_compute(struct rp_request *request, struct rp_trust *ret_trust) {
    const struct rp_promises *all = request->web->promises;
    struct rp_trust trust = {.now_ms = rp_request_now_ms(request)};
    trust.promises = rp_arena_array(request->arena, all->count, sizeof *trust.promises);
    if (!trust.promises) {
        return RP_ERR(NO_MEMORY);
    }
    struct tables tables = {0};
    tables.has_outside = open_table("run/probe.tab", &tables.outside);
    tables.has_files = open_table("run/hunt.tab", &tables.files);
    rp_err err = RP_OK;
    for (size_t i = 0; i < all->count && rp_ok(err); i++) {
        trust.promises[i].promise = &all->promises[i];
        err = compute_promise(request, &tables, trust.now_ms, &trust.promises[i]);
        trust.counts[trust.promises[i].status] += all->promises[i].sentence_count;
        trust.total += all->promises[i].sentence_count;
    }
    if (tables.has_outside) {
        rp_shm_done(&tables.outside);
    }
    if (tables.has_files) {
        rp_shm_done(&tables.files);
    }
    RP_TRY(err);
    RP_ASSERT(trust.total == all->sentence_count);
    *ret_trust = trust;
    return RP_OK;
}

const struct rp_trust_part *rp_trust_find_part(const struct rp_request *request,
                                               const struct rp_trust *trust, rp_view id,
                                               const struct rp_trust_promise **ret_promise) {
    for (size_t i = 0; i < request->web->promises->count; i++) {
        const struct rp_trust_promise *promise = &trust->promises[i];
        for (size_t k = 0; k < promise->promise->part_count; k++) {
            if (rp_view_equal(rp_view_from_cstr(promise->parts[k].part->id), id)) {
                *ret_promise = promise;
                return &promise->parts[k];
            }
        }
    }
    return NULL;
}

/* ---- words ---- */

rp_view rp_trust_base(struct rp_request *request) {
    const struct rp_config *config = request->web->config;
    return config->listen == 443 ? rp_arena_printf(request->arena, "https://%s", config->host)
                                 : rp_arena_printf(request->arena, "https://%s:%llu", config->host,
                                                   (unsigned long long)config->listen);
}

/* What a name in braces stands for; p == NULL when it is no name of ours. */
static rp_view fact(struct rp_request *request, rp_view name) {
    const struct rp_config *config = request->web->config;
    if (rp_view_equal(name, RP_VIEW("operator"))) {
        return rp_view_from_cstr(config->operator_name);
    }
    if (rp_view_equal(name, RP_VIEW("contact"))) {
        return rp_view_from_cstr(config->contact);
    }
    if (rp_view_equal(name, RP_VIEW("bounty_url"))) {
        return config->bounty_url[0]
                   ? rp_view_from_cstr(config->bounty_url)
                   : rp_arena_printf(request->arena, "%.*s/.well-known/security.txt",
                                     RP_FMT(rp_trust_base(request)));
    }
    return (rp_view){NULL, 0};
}

rp_view rp_trust_say(struct rp_request *request, const char *text) {
    rp_view rest = rp_view_from_cstr(text);
    if (rp_view_find_byte(rest, '{') == rest.n) {
        return rest;
    }
    struct rp_buf out = rp_buf_new(TEXT_MAX);
    while (rest.n > 0) {
        size_t open = rp_view_find_byte(rest, '{');
        size_t close = rp_view_find_byte(rest, '}');
        rp_view value = {NULL, 0};
        if (open < close && close < rest.n) {
            value = fact(request, rp_view_sub(rest, open + 1, close - open - 1));
        }
        size_t taken = value.p ? close + 1 : RP_MIN(open + 1, rest.n);
        rp_buf_add(&out, rp_view_sub(rest, 0, value.p ? open : taken));
        rp_buf_add(&out, value);
        rest = rp_view_from(rest, taken);
    }
    rp_view copy = {NULL, 0};
    if (!rp_ok(rp_buf_err(&out)) ||
        !rp_ok(rp_arena_copy(request->arena, rp_buf_view(&out), &copy))) {
        copy = rp_view_from_cstr(text);
    }
    rp_buf_done(&out);
    return copy;
}

rp_view rp_trust_word(const struct rp_request *request, enum rp_status status) {
    return rp_view_from_cstr(rp_status_text(status, request->lang));
}

rp_view rp_trust_words(const struct rp_request *request, enum rp_status status, size_t count) {
    static const enum rp_text_key several[RP_STATUS_COUNT] = {
        [RP_STATUS_FAILING] = RP_TEXT_several_failing,
        [RP_STATUS_STALE] = RP_TEXT_several_stale,
        [RP_STATUS_NOT_BUILT] = RP_TEXT_several_not_built,
        [RP_STATUS_NOT_MET] = RP_TEXT_several_not_met,
        [RP_STATUS_DECLARED] = RP_TEXT_several_declared,
        [RP_STATUS_PROVEN] = RP_TEXT_several_proven,
        [RP_STATUS_NOT_APPLICABLE] = RP_TEXT_several_not_applicable};
    RP_ASSERT(status < RP_STATUS_COUNT);
    return count > 1 ? rp_text(request->lang, several[status]) : rp_trust_word(request, status);
}

rp_view rp_trust_class(enum rp_status status) {
    return rp_view_from_cstr(rp_status_name(status));
}

/* ---- the public log ---- */

rp_view rp_trust_log_key(struct rp_request *request) {
    rp_view text = {NULL, 0};
    if (!rp_ok(rp_file_read("ledger/public/vkey", KEY_MAX, request->arena, &text))) {
        return (rp_view){NULL, 0};
    }
    return rp_view_trim(text);
}

rp_err rp_trust_log(struct rp_request *request, struct rp_log **ret_log) {
    struct rp_web_thread *thread = request->thread;
    if (!thread) {
        return RP_ERR(OVERLOAD);
    }
    rp_err err = RP_OK;
    if (thread->public_log) {
        err = rp_log_refresh(thread->public_log, &request->diag);
        if (!rp_ok(err)) {
            rp_log_free(rp_take(&thread->public_log));
        }
    } else {
        err = rp_log_open("ledger/public", (rp_view){NULL, 0}, &thread->public_log, &request->diag);
    }
    RP_TRY(err);
    *ret_log = thread->public_log;
    return RP_OK;
}

struct rp_trust_firewall rp_trust_firewall(struct rp_request *request) {
    enum { FILE_MAX = 4096 };
    struct rp_trust_firewall firewall = {.rules = 0};
    struct rp_json *file = NULL;
    rp_view text;
    if (!rp_ok(rp_file_read("run/waf.json", FILE_MAX, request->arena, &text)) ||
        !rp_ok(rp_json_parse(text, RP_JSON_LIMITS, request->arena, &file, NULL)) ||
        !rp_json_get_u64(file, "rules", &firewall.rules)) {
        return firewall;
    }
    firewall.rule_set = rp_json_get_string(file, "rule_set");
    firewall.sha256 = rp_json_get_string(file, "sha256");
    return firewall;
}
