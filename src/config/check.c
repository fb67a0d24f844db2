#include "config/check.h"

#include "base/assert.h"
#include "base/checked.h"
#include "config/config.h"
#include "wire/ip.h"
#include "wire/store_url.h"

enum { DNS_NAME_MAX = 253, DNS_LABEL_MAX = 63, WORD_MAX = 64 };

static bool is_digit(uint8_t c) {
    return c >= '0' && c <= '9';
}

static bool is_lower(uint8_t c) {
    return c >= 'a' && c <= 'z';
}

static bool is_alphanumeric(uint8_t c) {
    return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z');
}

static bool is_one_of(uint8_t c, const char *set) {
    return c != 0 && strchr(set, c) != NULL;
}

/* Whether every byte is a letter, a digit or one of `others`. */
static bool only(rp_view text, const char *others) {
    for (size_t i = 0; i < text.n; i++) {
        if (!is_alphanumeric(text.p[i]) && !is_one_of(text.p[i], others)) {
            return false;
        }
    }
    return true;
}

const char *rp_config_check_line(rp_view text) {
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < 0x20 || text.p[i] == 0x7f) {
            return "one line of text";
        }
    }
    return NULL;
}

static bool is_label(rp_view label) {
    return label.n > 0 && label.n <= DNS_LABEL_MAX && only(label, "-") && label.p[0] != '-' &&
           label.p[label.n - 1] != '-';
}

const char *rp_config_check_host(rp_view text) {
    static const char expected[] = "a DNS name such as www.example.com";
    if (text.n > DNS_NAME_MAX) {
        return expected;
    }
    bool more = text.n > 0;
    while (more) {
        rp_view label = rp_view_cut(&text, '.');
        more = text.p != NULL;
        if (!is_label(label)) {
            return expected;
        }
    }
    return NULL;
}

const char *rp_config_check_name(rp_view text) {
    return text.n > 0 ? rp_config_check_host(text) : "a DNS name such as www.example.com";
}

static bool is_ipv4(rp_view text) {
    unsigned parts = 0;
    while (text.p != NULL) {
        uint64_t value;
        if (!rp_view_to_u64(rp_view_cut(&text, '.'), 255, &value)) {
            return false;
        }
        parts++;
    }
    return parts == 4;
}

/* The shape only; the kernel has the last word when the port is bound. */
static bool looks_like_ipv6(rp_view text) {
    bool colon = rp_view_find_byte(text, ':') < text.n;
    for (size_t i = 0; i < text.n; i++) {
        if (!is_digit(text.p[i]) && !is_one_of(text.p[i], "abcdefABCDEF:")) {
            return false;
        }
    }
    return colon && text.n <= 39;
}

const char *rp_config_check_address(rp_view text) {
    return is_ipv4(text) || looks_like_ipv6(text)
               ? NULL
               : "an IP address such as 127.0.0.1, 0.0.0.0 or ::";
}

const char *rp_config_check_path(rp_view text) {
    return only(text, "/._-+@") ? NULL
                                : "a file name of letters, digits and / . _ - + @, without spaces";
}

/* The roles' working directory is the state folder, which is no place for what rotates. */
const char *rp_config_check_log_file(rp_view text) {
    bool absolute = text.n == 0 || text.p[0] == '/';
    return absolute ? rp_config_check_path(text)
                    : "an absolute file name, /var/log/rempart/rempart.log say";
}

const char *rp_config_check_store(rp_view text) {
    struct rp_store_url url;
    return rp_ok(rp_store_url_parse(text, &url, NULL))
               ? NULL
               : "\"sqlite:\" or \"postgresql://USER@/DATABASE?host=/FOLDER\", the folder of its "
                 "UNIX "
                 "socket, without a password; &port=N and &schema=NAME may follow";
}

const char *rp_config_check_url(rp_view text) {
    bool good = text.n == 0 || (rp_view_starts(text, RP_VIEW("https://")) && text.n > 8 &&
                                only(text, "/.:_-~%?=&#+,;@!'()*$"));
    return good ? NULL : "an address that begins with https://";
}

bool rp_config_minutes(rp_view text, unsigned *ret_minutes) {
    static const rp_view form = RP_VIEW_INIT("99:99");
    for (size_t i = 0; i < text.n && text.n == form.n; i++) {
        bool digit = text.p[i] >= '0' && text.p[i] <= '9';
        if (form.p[i] == '9' ? !digit : text.p[i] != form.p[i]) {
            return false;
        }
    }
    if (text.n != form.n) {
        return false;
    }
    unsigned hours = (unsigned)(text.p[0] - '0') * 10 + (unsigned)(text.p[1] - '0');
    unsigned minutes = (unsigned)(text.p[3] - '0') * 10 + (unsigned)(text.p[4] - '0');
    *ret_minutes = hours * 60 + minutes;
    return hours < 24 && minutes < 60;
}

const char *rp_config_check_clock(rp_view text) {
    unsigned minutes = 0;
    return text.n == 0 || rp_config_minutes(text, &minutes) ? NULL : "a time like 08:30";
}

const char *rp_config_check_quiet(rp_view text) {
    unsigned from = 0, to = 0;
    rp_view rest = text, first = rp_view_cut(&rest, '-');
    bool good = text.n == 0 || (rest.p && rp_config_minutes(first, &from) &&
                                rp_config_minutes(rest, &to) && from != to);
    return good ? NULL : "two times like 22:00-07:00";
}

const char *rp_config_check_smtp(rp_view text) {
    rp_view plain = RP_VIEW("smtp://"), tls = RP_VIEW("smtps://");
    rp_view rest = rp_view_starts(text, tls)     ? rp_view_from(text, tls.n)
                   : rp_view_starts(text, plain) ? rp_view_from(text, plain.n)
                                                 : RP_VIEW("");
    rp_view host = rp_view_cut(&rest, ':');
    uint64_t port = 25;
    bool good = text.n == 0 || (host.n > 0 && rp_config_check_host(host) == NULL &&
                                (!rest.p || rp_view_to_u64(rest, 65535, &port)) && port > 0);
    return good ? NULL : "smtp://HOST:PORT or smtps://HOST:PORT";
}

const char *rp_config_check_mail_address(rp_view text) {
    size_t at = rp_view_find_byte(text, '@');
    bool good = at > 0 && at < text.n && only(rp_view_sub(text, 0, at), "._-+") &&
                at + 1 < text.n && rp_config_check_host(rp_view_from(text, at + 1)) == NULL;
    return good ? NULL : "an address such as rempart@example.com";
}

const char *rp_config_check_mail_or_none(rp_view text) {
    return text.n == 0 ? NULL : rp_config_check_mail_address(text);
}

const char *rp_config_check_directory(rp_view text) {
    bool known = rp_view_equal(text, RP_VIEW("letsencrypt")) ||
                 rp_view_equal(text, RP_VIEW("letsencrypt-staging"));
    return known || rp_config_check_url(text) == NULL
               ? NULL
               : "letsencrypt-staging, letsencrypt, or an address that begins with https://";
}

const char *rp_config_check_events(rp_view text) {
    bool all = text.n > 0 && text.p[text.n - 1] == '*';
    rp_view name = rp_view_sub(text, 0, text.n - all);
    bool good = text.n >= 1 && text.n <= 64;
    for (size_t i = 0; i < name.n; i++) {
        good = good && (is_lower(name.p[i]) || name.p[i] == '.' || name.p[i] == '_');
    }
    return good ? NULL : "an event's name, or its beginning and *: register.due, certificate.*";
}

const char *rp_config_check_app_name(rp_view text) {
    bool good = text.n >= 1 && text.n <= 32;
    for (size_t i = 0; i < text.n; i++) {
        good = good && (is_lower(text.p[i]) || is_digit(text.p[i]) || text.p[i] == '-');
    }
    if (rp_view_equal(text, RP_VIEW("canary"))) {
        return "a name other than canary, which is the probes' own application";
    }
    return good ? NULL : "a name of 1 to 32 lower-case letters, digits and -";
}

bool rp_config_upstream(rp_view text, rp_view *ret_host, uint16_t *ret_port) {
    rp_view http = RP_VIEW("http://"), rest = rp_view_from(text, http.n);
    rp_view host = rp_view_cut(&rest, ':');
    uint64_t port = 0;
    if (!rp_view_starts(text, http) || host.n == 0 || rp_config_check_host(host) != NULL ||
        !rp_view_to_u64(rest, UINT16_MAX, &port) || port == 0) {
        return false;
    }
    *ret_host = host;
    *ret_port = (uint16_t)port;
    return true;
}

const char *rp_config_check_upstream(rp_view text) {
    rp_view local = RP_VIEW("unix:"), host;
    uint16_t port;
    bool good = rp_config_upstream(text, &host, &port) ||
                (rp_view_starts(text, local) && text.n > local.n &&
                 only(rp_view_from(text, local.n), "/._-"));
    return good ? NULL : "http://127.0.0.1:PORT or unix:PATH";
}

const char *rp_config_check_network(rp_view text) {
    struct rp_ip_net net;
    rp_err err = rp_ip_net_parse(text, &net);
    if (rp_is(err, RP_E_INVALID)) {
        return "a range without bits after its prefix, such as 192.0.2.0/24";
    }
    return rp_ok(err) ? NULL : "an address or a range such as 192.0.2.0/24 or 2001:db8::/32";
}

const char *rp_config_check_client_address(rp_view text) {
    rp_view word = RP_VIEW("header ");
    if (rp_view_equal(text, RP_VIEW("connection")) ||
        rp_view_equal(text, RP_VIEW("proxy_protocol"))) {
        return NULL;
    }
    rp_view name = rp_view_from(text, word.n);
    if (!rp_view_starts(text, word) || name.n == 0 || name.n > WORD_MAX || !only(name, "-")) {
        return "connection, proxy_protocol, or a header such as \"header X-Forwarded-For\"";
    }
    if (rp_view_equal_nocase(name, RP_VIEW("forwarded"))) {
        return "another header: Forwarded is not read; have the provider send X-Forwarded-For";
    }
    return NULL;
}

const char *rp_config_check_place(rp_view text) {
    static const char expected[] = "a path such as /public/ (all below it) or /status (that alone)";
    bool good = text.n > 1 && text.p[0] == '/' && only(text, "/._~-") &&
                rp_view_find(text, RP_VIEW("//")) == text.n;
    rp_view rest = rp_view_from(text, 1);
    while (good && rest.p != NULL) {
        rp_view segment = rp_view_cut(&rest, '/');
        good = !rp_view_equal(segment, RP_VIEW(".")) && !rp_view_equal(segment, RP_VIEW(".."));
    }
    bool taken =
        rp_view_starts(text, RP_VIEW("/.rempart")) || rp_view_starts(text, RP_VIEW("/trust"));
    return !good ? expected : taken ? "a path that is not Rempart's own" : NULL;
}

const char *rp_config_check_health(rp_view text) {
    bool good = text.n > 0 && text.p[0] == '/' && only(text, "/._~-?=&");
    return good ? NULL : "a path such as /healthz";
}

const char *rp_config_check_value(rp_view text) {
    for (size_t i = 0; i < text.n; i++) {
        if (text.p[i] < 0x20 || text.p[i] > 0x7e || text.p[i] == '"' || text.p[i] == '\\') {
            return "printable ASCII without \" and \\";
        }
    }
    return NULL;
}

const char *rp_config_check_header(rp_view text) {
    /* Headers that HTTP, the gate or the browser's session give a meaning of their own. */
    static const char *const taken[] = {
        "host",   "cookie",  "authorization",     "connection",          "content-length",
        "expect", "upgrade", "transfer-encoding", "rempart-assertion",   "te",
        "origin", "referer", "content-type",      "proxy-authorization", "x-forwarded-for",
    };
    if (text.n == 0 || text.n > WORD_MAX || !only(text, "-")) {
        return "a header name such as X-Remote-User";
    }
    for (size_t i = 0; i < RP_COUNT_OF(taken); i++) {
        if (rp_view_equal_nocase(text, rp_view_from_cstr(taken[i]))) {
            return "a header that has no other meaning, such as X-Remote-User";
        }
    }
    return NULL;
}

unsigned rp_config_edits(rp_view a, rp_view b) {
    unsigned row[WORD_MAX + 1];
    if (a.n > WORD_MAX || b.n > WORD_MAX) {
        return WORD_MAX;
    }
    for (unsigned j = 0; j <= b.n; j++) {
        row[j] = j;
    }
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];
        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned kept = diagonal + (a.p[i - 1] != b.p[j - 1]);
            diagonal = row[j];
            row[j] = RP_MIN(kept, RP_MIN(row[j], row[j - 1]) + 1);
        }
    }
    RP_ASSERT(row[b.n] <= WORD_MAX);
    return row[b.n];
}
