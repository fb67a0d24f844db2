#include "judge/plain.h"

#include "base/id.h"

/* The next character of the path, decoded once; -1 at a broken escape. */
static int next(rp_view *path) {
    uint8_t c = path->p[0];
    if (c != '%') {
        *path = rp_view_from(*path, 1);
        return c;
    }
    if (path->n < 3 || rp_hex_digit(path->p[1]) < 0 || rp_hex_digit(path->p[2]) < 0) {
        return -1;
    }
    int decoded = rp_hex_digit(path->p[1]) * 16 + rp_hex_digit(path->p[2]);
    *path = rp_view_from(*path, 3);
    /* What ends a segment must be written as itself. */
    return decoded == '/' || decoded == '\\' || decoded == 0 ? -1 : decoded;
}

bool judge_path_is_plain(rp_view uri) {
    rp_view path = rp_view_cut(&uri, '?');
    unsigned dots = 0, others = 0; /* of this segment, as far as its parameters */
    bool parameters = false;
    while (path.n > 0) {
        int c = next(&path);
        if (c < 0 || c == '\\') {
            return false;
        }
        parameters = parameters || c == ';';
        if (c == '/' || c == ';') {
            if (dots > 0 && dots <= 2 && others == 0) {
                return false;
            }
        }
        if (c == '/') {
            dots = others = 0;
            parameters = false;
        } else if (!parameters) {
            dots += c == '.';
            others += c != '.';
        }
    }
    return parameters || dots == 0 || dots > 2 || others > 0;
}

static uint8_t lower(uint8_t c) {
    return c >= 'A' && c <= 'Z' ? (uint8_t)(c - 'A' + 'a') : c;
}

bool judge_host_is_plain(rp_view host, rp_view server) {
    enum { PORT_DIGITS = 5 };
    if (host.n < server.n || server.n == 0) {
        return false;
    }
    for (size_t i = 0; i < server.n; i++) {
        if (lower(host.p[i]) != lower(server.p[i])) {
            return false;
        }
    }
    rp_view rest = rp_view_from(host, server.n);
    if (rest.n > 0 && rest.p[0] == '.') { /* the root of all names */
        rest = rp_view_from(rest, 1);
    }
    if (rest.n == 0) {
        return true;
    }
    uint64_t port;
    return rest.p[0] == ':' && rest.n <= 1 + PORT_DIGITS &&
           rp_view_to_u64(rp_view_from(rest, 1), UINT16_MAX, &port);
}
