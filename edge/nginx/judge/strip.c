#include "judge/strip.h"

#include "base/assert.h"
#include "base/checked.h"

static uint8_t fold(uint8_t c) {
    if (c == '_') {
        return '-';
    }
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c + ('a' - 'A')) : c;
}

static bool starts_like(rp_view name, rp_view start) {
    if (name.n < start.n) {
        return false;
    }
    for (size_t i = 0; i < start.n; i++) {
        if (fold(name.p[i]) != fold(start.p[i])) {
            return false;
        }
    }
    return true;
}

bool judge_same_name(rp_view a, rp_view b) {
    return a.n == b.n && starts_like(a, b);
}

/* Whole families: all names that begin so. */
static const rp_view families[] = {
    RP_VIEW_INIT("rempart-"),        RP_VIEW_INIT("x-rempart-"),       RP_VIEW_INIT("x-forwarded-"),
    RP_VIEW_INIT("x-accel-"),        RP_VIEW_INIT("x-remote-"),        RP_VIEW_INIT("x-webauth-"),
    RP_VIEW_INIT("x-auth-request-"), RP_VIEW_INIT("x-authenticated-"), RP_VIEW_INIT("x-ssl-"),
    RP_VIEW_INIT("x-client-cert"),
};

static const rp_view names[] = {
    RP_VIEW_INIT("remote-user"),
    RP_VIEW_INIT("remote-email"),
    RP_VIEW_INIT("remote-groups"),
    RP_VIEW_INIT("remote-name"),
    RP_VIEW_INIT("x-user"),
    RP_VIEW_INIT("auth-user"),
    RP_VIEW_INIT("x-real-ip"),
    RP_VIEW_INIT("x-client-ip"),
    RP_VIEW_INIT("true-client-ip"),
    RP_VIEW_INIT("cf-connecting-ip"),
    RP_VIEW_INIT("fastly-client-ip"),
    RP_VIEW_INIT("x-cluster-client-ip"),
    RP_VIEW_INIT("x-original-url"),
    RP_VIEW_INIT("x-rewrite-url"),
    RP_VIEW_INIT("x-original-host"),
    RP_VIEW_INIT("x-host"),
    RP_VIEW_INIT("forwarded"),
    RP_VIEW_INIT("client-cert"),
    RP_VIEW_INIT("client-cert-chain"),
    RP_VIEW_INIT("ssl-client-cert"),
    RP_VIEW_INIT("proxy"), /* becomes HTTP_PROXY in a CGI's environment */
    RP_VIEW_INIT("proxy-connection"),
    RP_VIEW_INIT("proxy-authorization"),
    RP_VIEW_INIT("proxy-authenticate"),
    RP_VIEW_INIT("keep-alive"),
    RP_VIEW_INIT("te"),
    RP_VIEW_INIT("trailer"),
};

bool judge_must_strip(rp_view name, const rp_view *own, size_t own_count) {
    RP_ASSERT(own != NULL || own_count == 0);
    for (size_t i = 0; i < own_count; i++) {
        if (judge_same_name(name, own[i])) {
            return true;
        }
    }
    /* Most headers of a browser begin with none of these letters. */
    if (name.n == 0 || !strchr("rxfpktcsa", fold(name.p[0]))) {
        return false;
    }
    for (size_t i = 0; i < RP_COUNT_OF(families); i++) {
        if (starts_like(name, families[i])) {
            return true;
        }
    }
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        if (judge_same_name(name, names[i])) {
            return true;
        }
    }
    return false;
}

/* A sender may not take these away: the request would become another one. */
static bool belongs_to_message(rp_view name) {
    static const rp_view kept[] = {
        RP_VIEW_INIT("host"),    RP_VIEW_INIT("content-length"), RP_VIEW_INIT("transfer-encoding"),
        RP_VIEW_INIT("cookie"),  RP_VIEW_INIT("authorization"),  RP_VIEW_INIT("connection"),
        RP_VIEW_INIT("upgrade"), RP_VIEW_INIT("content-type"),
    };
    for (size_t i = 0; i < RP_COUNT_OF(kept); i++) {
        if (rp_view_equal_nocase(name, kept[i])) {
            return true;
        }
    }
    return false;
}

bool judge_named_by_connection(rp_view connection, rp_view name) {
    while (connection.p) {
        rp_view token = rp_view_trim(rp_view_cut(&connection, ','));
        if (token.n > 0 && rp_view_equal_nocase(token, name)) {
            return !belongs_to_message(name);
        }
    }
    return false;
}
