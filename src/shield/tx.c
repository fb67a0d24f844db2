/* tx.c — a transaction from its first line to its log: what arrives, and the phase that follows. */
#include "shield/tx.h"
#include "base/assert.h"
#include "base/checked.h"
#include "shield/numeric.h"

/* What MODSEC_BUILD says: the release whose language this is, 3.0.9. */
#define MODSEC_BUILD "030009100"

/* A step is about a nanosecond of honest work: bytes looked at, calls made. */
enum { BUDGET_STEPS = 20 * 1000 * 1000, BODY_MAX = 128 << 20 };

/* ---- birth and death ---- */

static void connection_variables(struct rp_waf_tx *tx) {
    const struct rp_waf_connection *c = &tx->connection;
    rp_waf_scalar(tx, RP_VAR_REMOTE_ADDR, c->client_address);
    rp_waf_scalar(tx, RP_VAR_REMOTE_HOST, c->client_address);
    rp_waf_scalar(tx, RP_VAR_SERVER_ADDR, c->server_address);
    rp_waf_scalar(tx, RP_VAR_SERVER_NAME, c->server_name);
    rp_waf_scalar(tx, RP_VAR_UNIQUE_ID, c->unique_id);
    rp_waf_scalar_number(tx, RP_VAR_REMOTE_PORT, c->client_port);
    rp_waf_scalar_number(tx, RP_VAR_SERVER_PORT, c->server_port);
    rp_waf_scalar(tx, RP_VAR_URLENCODED_ERROR, RP_VIEW("0"));
    rp_waf_scalar(tx, RP_VAR_MODSEC_BUILD, RP_VIEW(MODSEC_BUILD));
    rp_waf_scalar(tx, RP_VAR_MSC_PCRE_ERROR, RP_VIEW("0"));
    rp_waf_scalar(tx, RP_VAR_MSC_PCRE_LIMITS_EXCEEDED, RP_VIEW("0"));
    rp_waf_keep_connection(tx);
}

static void limits(struct rp_waf_tx *tx) {
    const struct rp_img_settings *settings = tx->image->settings;
    tx->budget = tx->site.budget ? tx->site.budget : BUDGET_STEPS;
    tx->mode = tx->site.mode;
    tx->request_body = settings->request_body;
    tx->response_body = settings->response_body;
    tx->request_body_limit = settings->request_body_limit;
    tx->response_body_limit = settings->response_body_limit;
    tx->pending_label = tx->paused_at = RP_IMAGE_NONE;
    tx->highest_severity = 255;
    tx->body_kind = -1;
    tx->clock = 1;
    tx->body = rp_buf_new(BODY_MAX);
    tx->response = rp_buf_new(BODY_MAX);
    tx->unicode_map = settings->has_unicode_map ? tx->image->unicode : NULL;
}

rp_err rp_waf_tx_new(const struct rp_waf *waf, const struct rp_waf_site *site,
                     const struct rp_waf_connection *connection, struct rp_arena *arena,
                     struct rp_waf_tx **ret_tx) {
    struct rp_waf_tx *tx = rp_arena_alloc(arena, sizeof *tx);
    if (!tx) {
        return RP_ERR(TOO_LARGE);
    }
    tx->waf = waf;
    tx->image = &waf->image;
    tx->site = *site;
    tx->connection = *connection;
    tx->arena = arena;
    limits(tx);
    tx->classes = rp_arena_array(arena, tx->image->classes_n + 1, sizeof *tx->classes);
    tx->tx = rp_arena_array(arena, tx->image->settings->tx_names, sizeof *tx->tx);
    tx->units = rp_arena_room(arena, (tx->image->units_n + 1) * sizeof *tx->units);
    tx->filled_at = rp_arena_array(arena, tx->image->units_n + 1, sizeof *tx->filled_at);
    if (site->measure) {
        tx->costs = rp_arena_array(arena, tx->image->rules_n, sizeof *tx->costs);
    }
    if (!tx->classes || !tx->units || !tx->filled_at || !tx->tx) {
        return RP_ERR(TOO_LARGE);
    }
    rp_waf_kept_begin(tx);
    rp_waf_scalars_start(tx);
    connection_variables(tx);
    for (size_t i = 0; i < site->exclusion_count; i++) {
        rp_waf_exclude(tx, &site->exclusions[i]);
    }
    RP_TRY(tx->failed);
    *ret_tx = tx;
    return RP_OK;
}

void rp_waf_tx_done(struct rp_waf_tx *tx) {
    if (tx) {
        rp_waf_kept_end(tx);
        rp_buf_done(&tx->body);
        rp_buf_done(&tx->response);
        if (tx->jit_stack) {
            pcre2_jit_stack_free(tx->jit_stack);
        }
    }
}

/* ---- after each phase ---- */

/*= S64: a request that would cost more than its budget is refused, or let through and said so */
static void settle_budget(struct rp_waf_tx *tx) {
    struct rp_waf_verdict *verdict = &tx->verdict;
    if (!verdict->over_budget || !tx->site.over_budget_blocks || verdict->would_block) {
        return;
    }
    verdict->would_block = true;
    verdict->status = 403;
    verdict->rule = verdict->over_budget_rule;
    verdict->phase = tx->phase;
    if (tx->mode == RP_WAF_ON) {
        verdict->action = RP_WAF_DENY;
    }
}

static rp_err run(struct rp_waf_tx *tx, unsigned phase) {
    RP_ASSERT(tx->paused_at == RP_IMAGE_NONE);
    rp_waf_run_phase(tx, phase);
    settle_budget(tx);
    return tx->failed;
}

bool rp_waf_tx_is_paused(const struct rp_waf_tx *tx) {
    return tx->paused_at != RP_IMAGE_NONE;
}

rp_err rp_waf_tx_go_on(struct rp_waf_tx *tx) {
    rp_waf_run_rest(tx);
    settle_budget(tx);
    return tx->failed;
}

/* ---- the request ---- */

rp_err rp_waf_tx_headers_done(struct rp_waf_tx *tx) {
    return run(tx, 1);
}

/* ---- bodies ---- */

bool rp_waf_tx_wants_body(const struct rp_waf_tx *tx) {
    return tx->mode != RP_WAF_OFF && tx->request_body;
}

/* What fits of a chunk; sets *over when something does not. */
static rp_view fitting(rp_view chunk, uint64_t have, uint64_t limit, bool *over) {
    if (limit > 0 && chunk.n > limit - RP_MIN(have, limit)) {
        *over = true;
        return rp_view_sub(chunk, 0, (size_t)(limit - RP_MIN(have, limit)));
    }
    return chunk;
}

/* Files may be larger than what people type. */
static uint64_t body_limit(const struct rp_waf_tx *tx) {
    const struct rp_img_settings *settings = tx->image->settings;
    uint64_t limit = tx->request_body_limit;
    if (tx->body_kind != RP_BODY_MULTIPART && settings->request_body_no_files_limit > 0) {
        limit = RP_MIN(limit ? limit : UINT64_MAX, settings->request_body_no_files_limit);
    }
    return limit;
}

void rp_waf_tx_leave_body(struct rp_waf_tx *tx) {
    tx->request_body = false;
}

bool rp_waf_tx_takes(const struct rp_waf_tx *tx, uint64_t bytes) {
    uint64_t limit = body_limit(tx);
    bool rejects = tx->image->settings->request_limit_rejects && tx->mode == RP_WAF_ON;
    return !rejects || !rp_waf_tx_wants_body(tx) || limit == 0 || bytes <= limit;
}

rp_err rp_waf_tx_body(struct rp_waf_tx *tx, rp_view chunk) {
    if (!rp_waf_tx_wants_body(tx)) {
        return RP_OK;
    }
    rp_view fits = fitting(chunk, tx->body_bytes, body_limit(tx), &tx->body_over);
    tx->body_bytes += chunk.n;
    if (tx->body_over && tx->image->settings->request_limit_rejects && tx->mode == RP_WAF_ON) {
        return RP_ERR(TOO_LARGE);
    }
    rp_buf_add(&tx->body, fits);
    return rp_buf_err(&tx->body);
}

rp_err rp_waf_tx_body_done(struct rp_waf_tx *tx) {
    if (tx->mode == RP_WAF_OFF) {
        return tx->failed;
    }
    rp_waf_scalar(tx, RP_VAR_INBOUND_DATA_ERROR, tx->body_over ? RP_VIEW("1") : RP_VIEW("0"));
    rp_waf_read_body(tx);
    return run(tx, 2);
}

rp_err rp_waf_tx_response(struct rp_waf_tx *tx, unsigned status, rp_view protocol) {
    rp_waf_scalar_number(tx, RP_VAR_RESPONSE_STATUS, status);
    rp_waf_scalar(tx, RP_VAR_RESPONSE_PROTOCOL, protocol);
    rp_waf_scalar(tx, RP_VAR_STATUS_LINE,
                  rp_arena_printf(tx->arena, "%.*s %u", RP_FMT(protocol), status));
    return tx->failed;
}

rp_err rp_waf_tx_response_header(struct rp_waf_tx *tx, rp_view name, rp_view value) {
    if (tx->collections[RP_VAR_RESPONSE_HEADERS].n >= RP_WAF_HEADERS_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    rp_waf_collect(tx, RP_VAR_RESPONSE_HEADERS, name, value);
    rp_waf_collect(tx, RP_VAR_RESPONSE_HEADERS_NAMES, name, name);
    if (rp_view_equal_nocase(name, RP_VIEW("content-type"))) {
        tx->response_type = rp_view_trim(rp_view_sub(value, 0, rp_view_find_byte(value, ';')));
        rp_waf_scalar(tx, RP_VAR_RESPONSE_CONTENT_TYPE, tx->response_type);
    }
    return tx->failed;
}

rp_err rp_waf_tx_response_headers_done(struct rp_waf_tx *tx) {
    return run(tx, 3);
}

bool rp_waf_tx_reads_answers(const struct rp_waf_tx *tx) {
    return tx->mode != RP_WAF_OFF && tx->response_body;
}

uint64_t rp_waf_tx_response_limit(const struct rp_waf_tx *tx) {
    return tx->response_body_limit;
}

bool rp_waf_tx_wants_response_body(const struct rp_waf_tx *tx) {
    if (!rp_waf_tx_reads_answers(tx)) {
        return false;
    }
    struct rp_img_span types = tx->image->settings->response_types;
    for (uint32_t i = 0; i < types.count; i++) {
        rp_view type = rp_image_text(tx->image, tx->image->strings[types.first + i]);
        if (rp_view_equal_nocase(type, tx->response_type)) {
            return true;
        }
    }
    return types.count == 0;
}

rp_err rp_waf_tx_response_body(struct rp_waf_tx *tx, rp_view chunk) {
    const struct rp_img_settings *settings = tx->image->settings;
    if (!rp_waf_tx_wants_response_body(tx)) {
        return RP_OK;
    }
    rp_view fits = fitting(chunk, tx->response_bytes, tx->response_body_limit, &tx->response_over);
    tx->response_bytes += chunk.n;
    if (tx->response_over && settings->response_limit_rejects && tx->mode == RP_WAF_ON) {
        return RP_ERR(TOO_LARGE);
    }
    rp_buf_add(&tx->response, fits);
    return rp_buf_err(&tx->response);
}

rp_err rp_waf_tx_response_body_done(struct rp_waf_tx *tx) {
    if (!rp_waf_tx_wants_response_body(tx)) {
        return tx->failed;
    }
    rp_waf_scalar(tx, RP_VAR_OUTBOUND_DATA_ERROR, tx->response_over ? RP_VIEW("1") : RP_VIEW("0"));
    rp_waf_scalar(tx, RP_VAR_RESPONSE_BODY, rp_buf_view(&tx->response));
    rp_waf_scalar_number(tx, RP_VAR_RESPONSE_CONTENT_LENGTH, tx->response.n);
    return run(tx, 4);
}

rp_err rp_waf_tx_logging(struct rp_waf_tx *tx) {
    return run(tx, 5);
}

/* ---- the verdict ---- */

const struct rp_waf_verdict *rp_waf_tx_verdict(const struct rp_waf_tx *tx) {
    return &tx->verdict;
}

const struct rp_waf_match *rp_waf_tx_matches(const struct rp_waf_tx *tx, size_t *ret_count,
                                             size_t *ret_dropped) {
    *ret_count = tx->match_count;
    if (ret_dropped) {
        *ret_dropped = tx->match_dropped;
    }
    return tx->matches;
}

rp_view rp_waf_tx_value(struct rp_waf_tx *tx, enum rp_waf_variable variable, rp_view name) {
    return rp_waf_variable_text(tx, variable, rp_image_name(tx->image, name), name);
}
