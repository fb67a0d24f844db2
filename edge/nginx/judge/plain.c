#include "judge/plain.h"

static int hex_digit(uint8_t c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

/* The next character of the path, decoded once; -1 at a broken escape. */
static int next(rp_view *path) {
    uint8_t c = path->p[0];
    if (c != '%') {
        *path = rp_view_from(*path, 1);
        return c;
    }
    if (path->n < 3 || hex_digit(path->p[1]) < 0 || hex_digit(path->p[2]) < 0) {
        return -1;
    }
    int decoded = hex_digit(path->p[1]) * 16 + hex_digit(path->p[2]);
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
