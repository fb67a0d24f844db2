/* tlog_tile.c — where a tile lies (C2SP tlog-tiles): tile/L/x001/x234/067.p/W. */
#include "base/assert.h"
#include "wire/tlog.h"

/* ---- tile paths (C2SP tlog-tiles): 1234067 is x001/x234/067 ---- */

static void print_groups(struct rp_buf *out, uint64_t n) {
    enum { GROUPS_MAX = 7 }; /* 1000^7 > 2^64 */
    unsigned groups[GROUPS_MAX];
    int count = 0;
    do {
        groups[count++] = (unsigned)(n % 1000);
        n /= 1000;
    } while (n > 0);
    while (--count > 0) {
        rp_buf_printf(out, "x%03u/", groups[count]);
    }
    rp_buf_printf(out, "%03u", groups[0]);
}

void rp_tlog_tile_print(struct rp_buf *out, struct rp_tlog_tile tile) {
    RP_ASSERT(tile.level >= -1 && tile.level <= 63);
    RP_ASSERT(tile.width >= 1 && tile.width <= 256);
    rp_buf_add_cstr(out, "tile/");
    if (tile.level < 0) {
        rp_buf_add_cstr(out, "entries");
    } else {
        rp_buf_add_u64(out, (uint64_t)tile.level);
    }
    rp_buf_add_byte(out, '/');
    print_groups(out, tile.n);
    if (tile.width < 256) {
        rp_buf_printf(out, ".p/%u", tile.width);
    }
}

/* Three digits onto n. */
static bool take_group(rp_view *v, uint64_t *n) {
    if (v->n < 3 || __builtin_mul_overflow(*n, 1000u, n)) {
        return false;
    }
    unsigned group = 0;
    for (size_t i = 0; i < 3; i++) {
        if (v->p[i] < '0' || v->p[i] > '9') {
            return false;
        }
        group = group * 10 + (unsigned)(v->p[i] - '0');
    }
    *v = rp_view_from(*v, 3);
    return !__builtin_add_overflow(*n, (uint64_t)group, n);
}

/* (x ddd /)… ddd, without leading zero groups. */
static bool take_groups(rp_view *v, uint64_t *ret_n) {
    uint64_t n = 0;
    bool first = true;
    while (rp_view_take(v, RP_VIEW("x"))) {
        if (!take_group(v, &n) || (first && n == 0) || !rp_view_take(v, RP_VIEW("/"))) {
            return false;
        }
        first = false;
    }
    if (!take_group(v, &n)) {
        return false;
    }
    *ret_n = n;
    return true;
}

/* ".p/W" with W from 1 to 255, or nothing for a full tile. */
static bool take_width(rp_view v, unsigned *ret_width) {
    uint64_t width = 256;
    if (v.n > 0 && (!rp_view_take(&v, RP_VIEW(".p/")) || !rp_view_to_u64(v, 255, &width))) {
        return false;
    }
    *ret_width = (unsigned)width;
    return width > 0;
}

rp_err rp_tlog_tile_parse(rp_view path, struct rp_tlog_tile *ret_tile) {
    RP_ASSERT(ret_tile != NULL);
    struct rp_tlog_tile tile = {.level = -1};
    if (!rp_view_take(&path, RP_VIEW("tile/"))) {
        return RP_ERR(SYNTAX);
    }
    rp_view level_text = rp_view_cut(&path, '/');
    if (!rp_view_equal(level_text, RP_VIEW("entries"))) {
        uint64_t level;
        if (!rp_view_to_u64(level_text, 63, &level)) {
            return RP_ERR(SYNTAX);
        }
        tile.level = (int)level;
    }
    if (!take_groups(&path, &tile.n) || !take_width(path, &tile.width)) {
        return RP_ERR(SYNTAX);
    }
    *ret_tile = tile;
    return RP_OK;
}
