/* transform_path.c — normalizePath: what a file system would make of it.
 *
 * One pass, byte for byte as ModSecurity does it, oddities included (a trailing slash stays, a
 * relative path may begin with ../): a rule's expression was written against its answers. Each byte
 * that ends a segment, one before a slash or the last of all, is looked at; the others are copied.
 */
#include "shield/transform_parts.h"

struct path {
    rp_view in;
    uint8_t *out;
    size_t at, n;    /* read and written so far */
    size_t straight; /* backslashes before this index were slashes to us */
    bool windows, relative;
    bool at_root; /* a relative path has gone up as far as it can */
};

static bool is_slash(const struct path *path, size_t at) {
    return path->in.p[at] == '/' || (path->windows && path->in.p[at] == '\\');
}

static bool is_last(const struct path *path) {
    return path->at + 1 >= path->in.n;
}

/* The byte at `at`, a backslash as a slash where it counts as one. */
static uint8_t byte_at(const struct path *path, size_t at) {
    return at < path->straight && is_slash(path, at) ? '/' : path->in.p[at];
}

/* "..": the segment before goes too. False when there is none to go, and it has to be copied. */
static bool go_up(struct path *path, bool last) {
    if (path->relative && (path->at_root || path->n <= 2)) {
        path->at_root = true;
        return false;
    }
    size_t n = path->n > 3 ? path->n - 3 : 0;
    while (n > 0 && path->out[n] != '/') {
        n--;
    }
    if (n == 0) {
        path->at_root = true;
        /* The slash of an absolute path stays when nothing follows. */
        n = !path->relative && last ? 1 : 0;
    }
    path->n = n;
    return true;
}

/* Looks at the byte that ends a segment. False: it was the last of all, and is used up. */
static bool end_of_segment(struct path *path) {
    bool last = is_last(path);
    uint8_t c = byte_at(path, path->at);
    if (c == '/' && !last) {
        return true;
    }
    if (c != '.') {
        path->at_root = path->n > 0 ? false : path->at_root;
        return true;
    }
    bool dots = path->n > 0 && path->out[path->n - 1] == '.';
    bool self = path->n == 0 || path->out[path->n - 1] == '/';
    if (!(dots ? go_up(path, last) : self)) {
        return true;
    }
    if (last) {
        return false;
    }
    path->n -= !dots && path->n > 0 ? 1 : 0; /* "/." takes its slash along */
    path->at++;
    return true;
}

/* Copies a byte; of several slashes one, and none to the start of a relative path. */
static void copy(struct path *path) {
    if (byte_at(path, path->at) == '/') {
        while (!is_last(path) && is_slash(path, path->at + 1)) {
            path->at++;
        }
        if (path->relative && path->n == 0) {
            path->at++;
            return;
        }
    }
    path->out[path->n++] = byte_at(path, path->at++);
}

/* Nothing to do: no two slashes meet, no backslash is a slash, and no segment ends in a dot behind
 * another one or alone. Most dots stand amid numbers and names. */
static bool is_normal(rp_view in, bool windows) {
    uint8_t before = '/';
    for (size_t i = 0; i < in.n; i++) {
        uint8_t c = in.p[i];
        bool ends = i + 1 == in.n || in.p[i + 1] == '/';
        if ((c == '/' && ends && i + 1 < in.n) || (windows && c == '\\') ||
            (c == '.' && ends && (before == '/' || before == '.'))) {
            return false;
        }
        before = c;
    }
    return true;
}

static size_t normalize(rp_view in, uint8_t *out, bool windows) {
    if (is_normal(in, windows)) {
        memcpy(out, in.p, in.n);
        return in.n;
    }
    struct path path = {.in = in, .out = out, .windows = windows};
    path.relative = !is_slash(&path, 0);
    bool trailing = is_slash(&path, in.n - 1);
    while (path.at < in.n) {
        path.straight = path.at + 2;
        bool ends = is_last(&path) || byte_at(&path, path.at + 1) == '/';
        if (ends && !end_of_segment(&path)) {
            break;
        }
        copy(&path);
    }
    if (!trailing && path.n > 0 && out[path.n - 1] == '/') {
        path.n--;
    }
    return path.n;
}

size_t rp_transform_normalize_path(rp_view in, size_t from, uint8_t *out,
                                   const uint16_t *unicode_map) {
    (void)from;
    (void)unicode_map;
    return normalize(in, out, false);
}

size_t rp_transform_normalize_path_win(rp_view in, size_t from, uint8_t *out,
                                       const uint16_t *unicode_map) {
    (void)from;
    (void)unicode_map;
    return normalize(in, out, true);
}
