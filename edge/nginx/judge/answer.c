#include "judge/answer.h"

#include "base/assert.h"
#include "judge/accept.h"

unsigned judge_status(enum rp_gate_reason reason) {
    switch (reason) {
    case RP_GATE_REASON_NO_SESSION:
    case RP_GATE_REASON_SESSION_EXPIRED:
    case RP_GATE_REASON_SECOND_FACTOR:
        return 401;
    case RP_GATE_REASON_DENIED:
    case RP_GATE_REASON_FORBIDDEN_HEADER:
    case RP_GATE_REASON_LIST:
    case RP_GATE_REASON_RULE:
    case RP_GATE_REASON_MODEL:
        return 403;
    case RP_GATE_REASON_UNKNOWN_HOST:
        return 421;
    case RP_GATE_REASON_BAD_REQUEST:
        return 400;
    case RP_GATE_REASON_METHOD:
        return 405;
    case RP_GATE_REASON_TOO_LARGE:
        return 413;
    case RP_GATE_REASON_RATE:
        return 429;
    case RP_GATE_REASON_CORE_DOWN:
    case RP_GATE_REASON_CHALLENGE:
        return 503;
    case RP_GATE_REASON_UPSTREAM_DOWN:
        return 502;
    case RP_GATE_REASON_UPSTREAM_TIMEOUT:
        return 504;
    case RP_GATE_REASON_NONE:
    case RP_GATE_REASON_INTERNAL:
    case RP_GATE_REASON_COUNT:
        return 500;
    }
    return 500;
}

bool judge_can_sign_in(const struct judge_request *request, enum rp_gate_reason reason) {
    RP_ASSERT(request != NULL);
    bool signs_in = judge_status(reason) == 401;
    bool reads = rp_view_equal(request->method, RP_VIEW("GET")) ||
                 rp_view_equal(request->method, RP_VIEW("HEAD"));
    return signs_in && reads && judge_accepts_html(request->accept);
}

static bool is_unreserved(uint8_t c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c != 0 && strchr("-._~/", c) != NULL);
}

static size_t add(uint8_t *out, size_t n, rp_view text) {
    RP_ASSERT(n + text.n <= JUDGE_LOCATION_MAX);
    if (text.n > 0) {
        memcpy(out + n, text.p, text.n);
    }
    return n + text.n;
}

static size_t add_encoded(uint8_t *out, size_t n, rp_view text) {
    static const char digits[] = "0123456789ABCDEF";
    RP_ASSERT(n + 3 * text.n <= JUDGE_LOCATION_MAX);
    for (size_t i = 0; i < text.n; i++) {
        uint8_t c = text.p[i];
        if (is_unreserved(c)) {
            out[n++] = c;
        } else {
            out[n++] = '%';
            out[n++] = (uint8_t)digits[c >> 4];
            out[n++] = (uint8_t)digits[c & 15];
        }
    }
    return n;
}

rp_view judge_sign_in_location(enum rp_gate_reason reason, rp_view uri,
                               uint8_t out[static JUDGE_LOCATION_MAX]) {
    bool step = reason == RP_GATE_REASON_SECOND_FACTOR;
    size_t n = add(out, 0, RP_VIEW("/.rempart/id/sign-in"));
    n = add(out, n, step ? RP_VIEW("?step=mfa") : RP_VIEW(""));
    /* Home needs no saying, and "//host" would be another site. */
    bool worth_it = uri.n > 1 && uri.n <= JUDGE_NEXT_MAX && uri.p[0] == '/' && uri.p[1] != '/';
    if (worth_it) {
        n = add(out, n, step ? RP_VIEW("&next=") : RP_VIEW("?next="));
        n = add_encoded(out, n, uri);
    }
    return rp_view_of(out, n);
}
