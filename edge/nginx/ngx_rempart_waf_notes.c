/* ngx_rempart_waf_notes.c — what the rules did, noted down for those who tune them: what a place
 * that learns would have refused to signed-in people, which rules match and refuse, and what each
 * costs. And the way back: what somebody accepted is not asked at its place. */
#include "ngx_rempart_waf.h"

#include "base/checked.h"
#include "shield/exclusions.h"
#include "shield/notes.h"
#include "shield/path_shape.h"

enum {
    ALARMS_MAX = 16, /* of one request */
    DAY_MS = 24 * 3600 * 1000
};

static const ngx_rempart_main_conf_t *main_conf_of(const ngx_http_request_t *r) {
    return ngx_http_get_module_main_conf(r, ngx_http_rempart_module);
}

/* ---- before the rules run ---- */

rp_err ngx_rempart_waf_spare(const ngx_rempart_waf_t *waf, rp_view app, struct rp_waf_site *site) {
    static ngx_uint_t requests; /* of this worker's only loop */
    const ngx_rempart_main_conf_t *main_conf = main_conf_of(waf->r);
    site->measure = main_conf->tables.notes.p && requests++ % RP_NOTES_MEASURED == 0;
    const struct rp_exclusion_table *exclusions = main_conf->tables.exclusions.table;
    if (!exclusions || exclusions->count == 0 || app.n == 0) {
        return RP_OK;
    }
    return rp_exclusions_for(exclusions, app, ngx_rempart_view(waf->r->uri), waf->arena,
                             &site->exclusions, &site->exclusion_count);
}

/* ---- what a place that learns would have refused ---- */

/* Names are a stranger's: what an exclusion could not name is the rule as a whole. */
static rp_view variable_of(const struct rp_waf_match *match, rp_view app, rp_view path) {
    const struct rp_exclusion exclusion = {
        .rule = (uint32_t)match->id, .app = app, .variable = match->variable, .path = path};
    for (size_t i = 0; i < match->variable.n; i++) {
        if (match->variable.p[i] <= ' ' || match->variable.p[i] >= 0x7f) {
            return RP_VIEW("");
        }
    }
    return rp_ok(rp_exclusion_check(&exclusion, NULL)) ? match->variable : RP_VIEW("");
}

static void note_alarm(const ngx_rempart_waf_t *waf, void *table, const struct rp_waf_match *match,
                       rp_view path) {
    const ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(waf->r, 0);
    uint8_t sample[RP_SAMPLE_MAX];
    size_t n = rp_sample(match->value, (enum rp_sample_label)waf->conf->label, sample);
    rp_view app = ngx_rempart_view(ctx->app);
    const struct rp_note_seen seen = {
        .rule = (uint32_t)match->id,
        .app = app,
        .name = variable_of(match, app, path),
        .path = path,
        .sample = rp_view_of(sample, n),
        .person = ctx->visitor.session.person,
        .organisation = ctx->visitor.session.tenant,
        .now_ms = ngx_rempart_now_ms(),
    };
    rp_notes_see(table, &seen);
}

/* A sum that follows from other rules is no alarm of its own. */
static bool is_of_the_request(const struct rp_waf_match *match) {
    return match->logged && match->id <= UINT32_MAX && match->id > 0 &&
           !rp_view_starts(match->variable, RP_VIEW("TX:"));
}

static void note_alarms(const ngx_rempart_waf_t *waf, void *table,
                        const struct rp_waf_match *matches, size_t count) {
    uint8_t shape[RP_PATH_SHAPE_MAX];
    size_t shape_len = 0, told = 0;
    if (!rp_path_shape(ngx_rempart_view(waf->r->uri), shape, &shape_len)) {
        return;
    }
    for (size_t i = 0; i < count && told < ALARMS_MAX; i++) {
        if (is_of_the_request(&matches[i])) {
            note_alarm(waf, table, &matches[i], rp_view_of(shape, shape_len));
            told++;
        }
    }
}

/* ---- tallies ---- */

static bool was_told_before(const struct rp_waf_match *matches, size_t i) {
    for (size_t k = 0; k < i; k++) {
        if (matches[k].id == matches[i].id && is_of_the_request(&matches[k])) {
            return true;
        }
    }
    return false;
}

static uint32_t today(void) {
    return (uint32_t)(ngx_rempart_now_ms() / DAY_MS);
}

static void tally_matches(const ngx_rempart_waf_t *waf, void *table,
                          const struct rp_waf_match *matches, size_t count, bool known) {
    bool refused = waf->refused_status != 0;
    for (size_t i = 0; i < count; i++) {
        if (is_of_the_request(&matches[i]) && !was_told_before(matches, i)) {
            const struct rp_note_tally one = {.rule = (uint32_t)matches[i].id,
                                              .day = today(),
                                              .matches = 1,
                                              .false_alarms = known && !refused,
                                              .blocks = refused};
            rp_notes_tally(table, &one);
        }
    }
}

static void tally_cost(void *table, uint64_t rule, uint64_t steps) {
    if (rule > 0 && rule <= UINT32_MAX) {
        const struct rp_note_tally one = {
            .rule = (uint32_t)rule, .day = today(), .steps = steps * RP_NOTES_MEASURED};
        rp_notes_tally(table, &one);
    }
}

void ngx_rempart_waf_note(const ngx_rempart_waf_t *waf) {
    void *table = main_conf_of(waf->r)->tables.notes.p;
    const ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(waf->r, 0);
    if (!table || !ctx) {
        return;
    }
    const struct rp_waf_verdict *verdict = rp_waf_tx_verdict(waf->tx);
    size_t count = 0;
    const struct rp_waf_match *matches = rp_waf_tx_matches(waf->tx, &count, NULL);
    bool known = ctx->visitor.known && ctx->app.len > 0;
    rp_waf_tx_costs(waf->tx, tally_cost, table);
    bool learns = waf->conf->learn && known && !waf->refused_status && !verdict->over_budget;
    if (learns && !verdict->would_block) {
        ngx_rempart_waf_note_sent(waf, table);
    }
    if (count == 0) {
        return;
    }
    tally_matches(waf, table, matches, count, known);
    if (learns && verdict->would_block) {
        note_alarms(waf, table, matches, count);
    }
}
