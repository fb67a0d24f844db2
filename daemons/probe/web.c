/* web.c — what every browser is told: HSTS, the way to HTTPS, cookies that stay on it. */
#include <stdio.h>

#include "base/checked.h"
#include "os/file.h"
#include "os/socket.h"
#include "os/tcp.h"
#include "probe.h"

enum { DEADLINE_MS = 5000, YEAR_S = 31536000, LONG_PATH = 40000 };

/* "max-age=63072000; includeSubDomains" → 63072000; 0 when absent. */
static uint64_t max_age(rp_view header) {
    while (header.p) {
        rp_view part = rp_view_trim(rp_view_cut(&header, ';'));
        uint64_t seconds = 0;
        if (rp_view_starts(part, RP_VIEW("max-age=")) &&
            rp_view_to_u64(rp_view_from(part, 8), UINT64_MAX, &seconds)) {
            return seconds;
        }
    }
    return 0;
}

static bool has_hsts(struct probe *probe, const char *method, const char *path,
                     struct rp_observation *seen) {
    _cleanup_answer_ struct http_answer answer = http_answer_new();
    struct http_request request = {.method = method, .path = path};
    if (!rp_ok(http_ask(probe->people[0].http, &request, &answer))) {
        rp_probe_unsure(seen, "the gate does not answer %s %.60s", method, path);
        return false;
    }
    if (max_age(http_header(&answer, "strict-transport-security", 0)) < YEAR_S) {
        rp_probe_broken(seen, "no HSTS of a year on %s %.60s (status %ld)", method, path,
                        answer.status);
        return false;
    }
    return true;
}

/*= S79, S80: HSTS on every answer, whatever its status. */
void probe_web_hsts(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    if (!probe_ready(probe, seen)) {
        return;
    }
    static char too_long[LONG_PATH];
    memset(too_long, 'a', sizeof too_long - 1);
    too_long[0] = '/';
    const struct {
        const char *method, *path;
    } asks[] = {{"GET", "/"},
                {"GET", "/trust"},
                {"GET", "/trust.json"},
                {"GET", "/.rempart/id/sign-in"},
                {"GET", "/.rempart/api/v1/nothing-here"},
                {"GET", "/.rempart/log/public/checkpoint"},
                {"GET", "/.rempart/log/public/nothing-here"},
                {"DELETE", "/trust"},
                {"GET", too_long}};
    for (size_t i = 0; i < RP_COUNT_OF(asks); i++) {
        if (!has_hsts(probe, asks[i].method, asks[i].path, seen)) {
            return;
        }
    }
    rp_probe_holds(seen, "HSTS of a year or more on %zu kinds of answer, errors among them",
                   RP_COUNT_OF(asks));
}

/* A plain HTTP request to a port; the status line and headers. */
static rp_err ask_plain(const struct probe *probe, uint16_t port, struct rp_buf *answer) {
    char request[400];
    int n = snprintf(request, sizeof request,
                     "GET /some/page HTTP/1.1\r\nHost: %s:%u\r\nConnection: close\r\n\r\n",
                     probe->config->host, port);
    _cleanup_fd_ int fd = -1;
    RP_TRY(rp_tcp_connect(probe->address, port, DEADLINE_MS, &fd));
    RP_TRY(rp_file_write_all(fd, rp_view_of(request, (size_t)n)));
    for (;;) {
        uint8_t bytes[4096];
        size_t got = 0;
        rp_err err = rp_socket_receive(fd, bytes, sizeof bytes, &got);
        if (rp_is(err, RP_E_CLOSED) || (rp_ok(err) && got == 0)) {
            return RP_OK;
        }
        RP_TRY(err);
        rp_buf_add(answer, rp_view_of(bytes, got));
        RP_TRY(rp_buf_err(answer));
    }
}

static bool leads_to_https(const struct probe *probe, uint16_t port, struct rp_observation *seen) {
    struct rp_buf answer = rp_buf_new(65536);
    rp_err err = ask_plain(probe, port, &answer);
    rp_view text = rp_buf_view(&answer);
    bool redirect = rp_view_starts(text, RP_VIEW("HTTP/1.1 301 ")) ||
                    rp_view_starts(text, RP_VIEW("HTTP/1.1 308 "));
    bool https = rp_view_find(text, RP_VIEW("\nLocation: https://")) < text.n;
    rp_buf_done(&answer);
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "port %u does not answer", port);
        return false;
    }
    if (!redirect || !https) {
        rp_probe_broken(seen, "plain HTTP on port %u does not lead to HTTPS", port);
        return false;
    }
    return true;
}

/*= S80: an unencrypted address leads to the encrypted one. */
void probe_web_https_redirect(void *ctx, struct rp_observation *seen) {
    const struct probe *probe = ctx;
    uint16_t tls = (uint16_t)probe->config->listen;
    uint16_t plain = (uint16_t)probe->config->listen_http;
    if (leads_to_https(probe, tls, seen) && (!plain || leads_to_https(probe, plain, seen))) {
        rp_probe_holds(seen, "plain HTTP is answered by a permanent redirect to HTTPS");
    }
}

static bool has_attribute(rp_view cookie, const char *name) {
    while (cookie.p) {
        rp_view part = rp_view_trim(rp_view_cut(&cookie, ';'));
        rp_view key = rp_view_cut(&part, '=');
        if (rp_view_equal_nocase(key, rp_view_from_cstr(name))) {
            return true;
        }
    }
    return false;
}

/* Each Set-Cookie of an answer; counts them. */
static bool cookies_hardened(const struct http_answer *answer, bool ours, size_t *count,
                             struct rp_observation *seen) {
    for (size_t i = 0;; i++) {
        rp_view cookie = http_header(answer, "set-cookie", i);
        if (!cookie.p) {
            return true;
        }
        rp_view name = rp_view_sub(cookie, 0, rp_view_find_byte(cookie, '='));
        bool host = rp_view_starts(name, RP_VIEW("__Host-"));
        if (!has_attribute(cookie, "Secure") || !has_attribute(cookie, "HttpOnly") ||
            !has_attribute(cookie, "SameSite") || (ours && !host)) {
            rp_probe_broken(seen,
                            "cookie %.*s lacks Secure, HttpOnly, SameSite or its __Host- prefix",
                            (int)RP_MIN(name.n, (size_t)60), (const char *)name.p);
            return false;
        }
        ++*count;
    }
}

/*= S81: authentication cookies only travel encrypted; an application's careless one is mended. */
void probe_web_cookies(void *ctx, struct rp_observation *seen) {
    struct probe *probe = ctx;
    if (!probe_ready(probe, seen) || !canary_sign_in(probe, &probe->people[0], seen)) {
        return;
    }
    size_t ours = 0, theirs = 0;
    _cleanup_answer_ struct http_answer sign_in = http_answer_new();
    _cleanup_answer_ struct http_answer app = http_answer_new();
    struct http *stranger = probe_browser(probe);
    rp_err err =
        stranger ? http_ask(stranger,
                            &(struct http_request){.method = "GET", .path = "/.rempart/id/sign-in"},
                            &sign_in)
                 : RP_ERR(NO_MEMORY);
    http_free(stranger);
    if (rp_ok(err)) {
        err = http_ask(probe->people[0].http,
                       &(struct http_request){.method = "GET", .path = "/.rempart/canary/"}, &app);
    }
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "the gate does not answer");
        return;
    }
    if (!cookies_hardened(&sign_in, true, &ours, seen) ||
        !cookies_hardened(&app, false, &theirs, seen)) {
        return;
    }
    if (ours == 0 || theirs == 0) {
        rp_probe_unsure(seen, "no cookie was set where one was expected");
        return;
    }
    rp_probe_holds(seen, "sign-in cookies carry Secure, HttpOnly, SameSite and __Host-; an "
                         "application's bare cookie was hardened");
}
