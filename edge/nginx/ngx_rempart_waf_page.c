/* ngx_rempart_waf_page.c — what somebody reads whose request the rules refused: calm, in their
 * language, with the number under which the operator finds it. */
#include "ngx_rempart.h"

#include "judge/accept.h"

typedef struct {
    const char *title, *text, *number;
} words_t;

static const words_t refused_words[RP_LANG_COUNT] = {
    [RP_FR] = {"Requête refusée",
               "Les règles de sécurité de ce site ont arrêté cette requête : elle ressemble à une "
               "attaque. Si elle n’en est pas une, revenez en arrière et reformulez ce que vous "
               "avez écrit, ou donnez ce numéro à la personne qui s’occupe du site.",
               "Numéro d’incident :"},
    [RP_EN] = {"Request refused",
               "The security rules of this site stopped this request: it looks like an attack. If "
               "it is none, go back and put what you wrote in other words, or give this number to "
               "whoever looks after the site.",
               "Incident number:"}};
static const words_t large_words[RP_LANG_COUNT] = {
    [RP_FR] =
        {"Trop volumineux",
         "Ce qui a été envoyé dépasse ce que ce site accepte ici. Envoyez-en moins à la fois, "
         "ou donnez ce numéro à la personne qui s’occupe du site.",
         "Numéro d’incident :"},
    [RP_EN] = {"Too large",
               "What was sent is more than this site takes here. Send less at a time, or give this "
               "number to whoever looks after the site.",
               "Incident number:"}};

static rp_view header_value(const ngx_table_elt_t *header) {
    return header ? ngx_rempart_view(header->value) : (rp_view){NULL, 0};
}

static void print_page(struct rp_buf *out, enum rp_lang lang, const words_t *words,
                       const ngx_rempart_waf_t *waf) {
    rp_buf_printf(
        out,
        "<!doctype html>\n<html lang=\"%s\"><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><meta name=\"robots\" content=\"noindex\">"
        "<title>%s</title><style>:root{color-scheme:light dark}body{font:1rem/1.6 "
        "system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.25rem}"
        "code{overflow-wrap:anywhere}</style><main><h1>%s</h1><p>%s</p><p>%s "
        "<code>%.*s</code></p></main></html>\n",
        lang == RP_FR ? "fr" : "en", words->title, words->title, words->text, words->number,
        (int)sizeof waf->incident, waf->incident);
}

/* RFC 9457 */
static void print_problem(struct rp_buf *out, ngx_uint_t status, const words_t *words,
                          const ngx_rempart_waf_t *waf) {
    rp_buf_printf(out,
                  "{\"code\":\"%s\",\"detail\":\"%s\",\"incident\":\"%.*s\",\"status\":%u,"
                  "\"title\":\"%s\"}\n",
                  status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE ? "too_large" : "rule", words->text,
                  (int)sizeof waf->incident, waf->incident, (unsigned)status, words->title);
}

static ngx_int_t send_page(ngx_http_request_t *r, ngx_uint_t status, const struct rp_buf *page,
                           const char *type) {
    u_char *copy = ngx_pnalloc(r->pool, page->n);
    ngx_http_complex_value_t value = {.value = {.len = page->n, .data = copy}};
    ngx_str_t content_type = {.len = strlen(type), .data = (u_char *)(uintptr_t)type};
    if (!copy || page->failed) {
        return NGX_HTTP_INTERNAL_SERVER_ERROR;
    }
    ngx_memcpy(copy, page->p, page->n);
    return ngx_http_send_response(r, status, &content_type, &value);
}

ngx_int_t ngx_rempart_waf_refuse(ngx_http_request_t *r, ngx_rempart_waf_t *waf, ngx_uint_t status) {
    enum rp_lang lang = judge_language(header_value(r->headers_in.accept_language));
    bool too_large = status == NGX_HTTP_REQUEST_ENTITY_TOO_LARGE;
    const words_t *words = too_large ? &large_words[lang] : &refused_words[lang];
    ngx_rempart_ctx_t *ctx = ngx_rempart_ctx(r, 1);
    struct rp_buf page = rp_buf_new(8192);
    bool json = judge_wants_json(header_value(r->headers_in.accept));
    waf->refused = status;
    if (ctx) {
        ctx->reason = too_large ? RP_GATE_REASON_TOO_LARGE : RP_GATE_REASON_RULE;
    }
    if (json) {
        print_problem(&page, status, words, waf);
    } else {
        print_page(&page, lang, words, waf);
    }
    ngx_int_t rc = ngx_http_discard_request_body(r);
    if (rc == NGX_OK) {
        rc = send_page(r, status, &page,
                       json ? "application/problem+json" : "text/html; charset=utf-8");
    }
    rp_buf_done(&page);
    ngx_http_finalize_request(r, rc);
    return NGX_DONE;
}
