/* ngx_rempart_waf_sent.c — what signed-in people send to a place that learns, when the rules and
 * the application have taken it: names, kinds and lengths, noted down for a model that a person may
 * take (rempart waf model learn). Values go no further than this function. */
#include "ngx_rempart_waf.h"

#include "base/checked.h"
#include "shield/path_shape.h"
#include "shield/sent.h"

enum { VALUES_MAX = 64 /* of one request */ };

typedef struct {
    void *table;
    struct rp_sent_seen seen;
    unsigned left;
} sending_t;

static void see(sending_t *sending, enum rp_sent_place place, rp_view name, rp_view value) {
    if (sending->left == 0) {
        return;
    }
    sending->left--;
    sending->seen.place = place;
    sending->seen.name = name;
    sending->seen.value = value;
    rp_sent_see(sending->table, &sending->seen);
}

static void see_query(void *ctx, rp_view name, rp_view value) {
    see(ctx, RP_SENT_QUERY, name, value);
}

static void see_form(void *ctx, rp_view name, rp_view value) {
    see(ctx, RP_SENT_FORM, name, value);
}

static void see_json(void *ctx, rp_view name, rp_view value) {
    uint8_t way[RP_NOTE_NAME_MAX];
    size_t n = 0;
    if (rp_sent_json_name(name, way, &n)) {
        see(ctx, RP_SENT_JSON, rp_view_of(way, n), value);
    }
}

/* The segments that the shape leaves open, by their number. */
static void see_segments(sending_t *sending, rp_view path) {
    rp_view shape = sending->seen.path;
    uint8_t number = '0';
    while (shape.n > 0 && path.n > 0) {
        shape = rp_view_from(shape, 1);
        path = rp_view_from(path, 1);
        rp_view open = rp_view_sub(shape, 0, rp_view_find_byte(shape, '/'));
        rp_view segment = rp_view_sub(path, 0, rp_view_find_byte(path, '/'));
        if (rp_view_equal(open, RP_VIEW("*")) && number < '9') {
            number++;
            see(sending, RP_SENT_SEGMENT, rp_view_of(&number, 1), segment);
        }
        shape = rp_view_from(shape, open.n);
        path = rp_view_from(path, segment.n);
    }
}

static void see_body(sending_t *sending, const ngx_rempart_waf_t *waf) {
    const ngx_http_request_t *r = waf->r;
    if (!r->headers_in.content_type ||
        (r->headers_in.content_length_n <= 0 && !r->headers_in.chunked)) {
        return;
    }
    rp_view type = ngx_rempart_view(r->headers_in.content_type->value);
    type = rp_view_trim(rp_view_sub(type, 0, rp_view_find_byte(type, ';')));
    uint8_t lower[RP_NOTE_NAME_MAX];
    if (type.n == 0 || type.n > sizeof lower) {
        return;
    }
    ngx_strlow(lower, (u_char *)(uintptr_t)type.p, type.n);
    see(sending, RP_SENT_TYPE, rp_view_of(lower, type.n), (rp_view){NULL, 0});
    rp_view processor = rp_waf_tx_value(waf->tx, RP_VAR_REQBODY_PROCESSOR, RP_VIEW(""));
    bool json = rp_view_equal(processor, RP_VIEW("JSON"));
    if (json || rp_view_equal(processor, RP_VIEW("URLENCODED"))) {
        rp_ignore(rp_waf_tx_each(waf->tx, RP_VAR_ARGS_POST, json ? see_json : see_form, sending));
    }
}

void ngx_rempart_waf_note_sent(const ngx_rempart_waf_t *waf, void *table) {
    ngx_http_request_t *r = waf->r;
    const ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 0);
    ngx_uint_t status = r->err_status ? r->err_status : r->headers_out.status;
    uint8_t shape[RP_PATH_SHAPE_MAX];
    size_t n = 0;
    rp_view path = ngx_rempart_view(r->uri);
    if (status < 200 || status >= 400 || !rp_path_shape(path, shape, &n)) {
        return; /* what the application does not take is not what it is for */
    }
    sending_t sending = {.table = table,
                         .left = VALUES_MAX,
                         .seen = {.app = ngx_rempart_view(ctx->app),
                                  .method = ngx_rempart_view(r->method_name),
                                  .path = rp_view_of(shape, n),
                                  .person = ctx->visitor.session.person,
                                  .organisation = ctx->visitor.session.tenant,
                                  .now_ms = ngx_rempart_now_ms()}};
    see(&sending, RP_SENT_REQUEST, RP_VIEW(""), RP_VIEW(""));
    see_segments(&sending, path);
    see_body(&sending, waf);
    rp_ignore(rp_waf_tx_each(waf->tx, RP_VAR_ARGS_GET, see_query, &sending));
}
