#include "web/response.h"

#include "base/assert.h"

struct rp_response rp_response_new(void) {
    return (struct rp_response){
        .status = 200, .heads = rp_buf_new(RP_HEADS_MAX), .body = rp_buf_new_wiping(RP_BODY_MAX)};
}

void rp_response_done(struct rp_response *response) {
    rp_buf_done(&response->heads);
    rp_buf_done(&response->body);
}

void rp_response_clear(struct rp_response *response) {
    response->status = 200;
    response->content_type = NULL;
    response->cache = NULL;
    response->for_others = false;
    response->scripted = false;
    response->streamed = false;
    response->length = 0;
    rp_buf_clear(&response->heads);
    rp_buf_clear(&response->body);
}

static bool is_one_line(rp_view v) {
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] < 32 || v.p[i] == 127) {
            return false;
        }
    }
    return true;
}

void rp_response_head(struct rp_response *response, const char *name, rp_view value) {
    RP_ASSERT(is_one_line(value));
    rp_buf_printf(&response->heads, "%s: ", name);
    rp_buf_add(&response->heads, value);
    rp_buf_add(&response->heads, RP_VIEW("\r\n"));
}

void rp_response_redirect(struct rp_response *response, rp_view path) {
    RP_ASSERT(path.n > 0 && path.p[0] == '/');
    response->status = 303;
    response->content_type = NULL;
    rp_buf_clear(&response->body);
    rp_response_head(response, "Location", path);
}

/*= S81 */ /* every cookie of ours is Secure, HttpOnly, SameSite and bound to this host */
void rp_response_cookie(struct rp_response *response, const char *name, rp_view value,
                        int64_t seconds) {
    RP_ASSERT(strncmp(name, "__Host-", 7) == 0);
    RP_ASSERT(is_one_line(value) && rp_view_find_byte(value, ';') == value.n);
    rp_buf_printf(&response->heads, "Set-Cookie: %s=%.*s; Path=/; Secure; HttpOnly; SameSite=Lax",
                  name, RP_FMT(value));
    if (seconds > 0) {
        rp_buf_printf(&response->heads, "; Max-Age=%lld", (long long)seconds);
    }
    rp_buf_add(&response->heads, RP_VIEW("\r\n"));
}

void rp_response_forget_cookie(struct rp_response *response, const char *name) {
    RP_ASSERT(strncmp(name, "__Host-", 7) == 0);
    rp_buf_printf(&response->heads,
                  "Set-Cookie: %s=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0\r\n", name);
}

static const char *reason_of(int status) {
    switch (status) {
    case 200:
        return "OK";
    case 201:
        return "Created";
    case 204:
        return "No Content";
    case 206:
        return "Partial Content";
    case 303:
        return "See Other";
    case 304:
        return "Not Modified";
    case 404:
        return "Not Found";
    default:
        return status < 400 ? "OK" : status < 500 ? "Refused" : "Unavailable";
    }
}

rp_err rp_response_print_head(const struct rp_response *response, struct rp_buf *out) {
    RP_ASSERT(response->status >= 200 && response->status < 600);
    RP_TRY(rp_buf_err(&response->heads));
    RP_TRY(rp_buf_err(&response->body));
    RP_ASSERT(!response->streamed || response->content_type != NULL);
    rp_buf_printf(out, "Status: %d %s\r\n", response->status, reason_of(response->status));
    if (response->content_type) {
        uint64_t length = response->streamed ? response->length : response->body.n;
        rp_buf_printf(out, "Content-Type: %s\r\n", response->content_type);
        if (length != RP_LENGTH_UNKNOWN) {
            rp_buf_printf(out, "Content-Length: %llu\r\n", (unsigned long long)length);
        }
    }
    rp_buf_printf(out, "Cache-Control: %s\r\n", response->cache ? response->cache : "no-store");
    /* No scripts but our own file where a page needs it, no frames, forms go home only. */
    rp_buf_printf(out,
                  "Content-Security-Policy: default-src 'none'; style-src 'self'; img-src 'self' "
                  "data:; %sform-action 'self'; base-uri 'none'; frame-ancestors 'none'\r\n",
                  response->scripted ? "script-src 'self'; connect-src 'self'; " : "");
    rp_buf_add_cstr(out,
                    "X-Content-Type-Options: nosniff\r\n"
                    "X-Frame-Options: DENY\r\n"
                    /* An invitation's address is its secret: the application next door must not be
                     * told it when somebody walks on. (no-referrer would make Origin null.) */
                    "Referrer-Policy: strict-origin\r\n"
                    "Cross-Origin-Opener-Policy: same-origin\r\n");
    rp_buf_printf(out, "Cross-Origin-Resource-Policy: %s\r\n",
                  response->for_others ? "cross-origin" : "same-origin");
    rp_buf_add(out, rp_buf_view(&response->heads));
    rp_buf_add(out, RP_VIEW("\r\n"));
    return rp_buf_err(out);
}

rp_err rp_response_print(const struct rp_response *response, struct rp_buf *out) {
    RP_TRY(rp_response_print_head(response, out));
    rp_buf_add(out, rp_buf_view(&response->body));
    return rp_buf_err(out);
}
