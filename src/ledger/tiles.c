#include "ledger/tiles.h"

#include "base/assert.h"
#include "base/checked.h"

static void print_path(const char *folder, struct rp_tlog_tile tile,
                       char out[static RP_TILE_PATH_MAX]) {
    struct rp_buf path = rp_buf_over(out, RP_TILE_PATH_MAX - 1);
    rp_buf_add_cstr(&path, folder);
    rp_buf_add_byte(&path, '/');
    rp_tlog_tile_print(&path, tile);
    RP_ASSERT(!path.failed);
    out[path.n] = '\0';
}

void rp_tile_path(const char *folder, struct rp_tlog_tile tile, char out[static RP_TILE_PATH_MAX]) {
    RP_ASSERT(tile.width >= 1 && tile.width <= RP_TILE_WIDTH);
    print_path(folder, tile, out);
}

void rp_tile_partials_path(const char *folder, int level, uint64_t n,
                           char out[static RP_TILE_PATH_MAX]) {
    print_path(folder, (struct rp_tlog_tile){level, n, RP_TILE_WIDTH}, out);
    size_t length = strlen(out);
    RP_ASSERT(length + 3 <= RP_TILE_PATH_MAX);
    memcpy(out + length, ".p", 3);
}

unsigned rp_tile_width(int level, uint64_t n, uint64_t size) {
    RP_ASSERT(level >= RP_ENTRIES_LEVEL && level < RP_TILE_LEVELS);
    uint64_t hashes = level > 0 ? size >> (8 * level) : size;
    uint64_t full = hashes / RP_TILE_WIDTH;
    if (n < full) {
        return RP_TILE_WIDTH;
    }
    return n == full ? (unsigned)(hashes % RP_TILE_WIDTH) : 0;
}

rp_hash rp_tile_root(rp_view hashes) {
    rp_hash row[RP_TILE_WIDTH];
    size_t n = hashes.n / RP_SHA256;
    RP_ASSERT(n > 0 && n <= RP_TILE_WIDTH && (n & (n - 1)) == 0);
    memcpy(row, hashes.p, n * RP_SHA256);
    for (; n > 1; n /= 2) {
        for (size_t i = 0; i < n / 2; i++) {
            row[i] = rp_merkle_node(&row[2 * i], &row[2 * i + 1]);
        }
    }
    return row[0];
}

rp_err rp_bundle_next(rp_view *rest, rp_view *ret_entry) {
    if (rest->n < 2) {
        return RP_ERR(CORRUPT);
    }
    size_t n = (size_t)(rest->p[0] << 8 | rest->p[1]);
    if (n > rest->n - 2) {
        return RP_ERR(CORRUPT);
    }
    *ret_entry = rp_view_sub(*rest, 2, n);
    *rest = rp_view_from(*rest, 2 + n);
    return RP_OK;
}

void rp_bundle_add(struct rp_buf *bundle, rp_view entry) {
    RP_ASSERT(entry.n <= RP_TLOG_ENTRY_MAX);
    rp_buf_add_byte(bundle, (uint8_t)(entry.n >> 8));
    rp_buf_add_byte(bundle, (uint8_t)entry.n);
    rp_buf_add(bundle, entry);
}
