#include "ledger/journal.h"

#include <zlib.h>

#include "base/assert.h"

static const uint8_t magic[16] = "rempart-journal\n";
enum { VERSION = 1, FLAG_LAST = 1, AT_CRC = 4, AT_FLAGS = 9 };

static void put_u32(uint8_t *out, uint32_t x) {
    for (unsigned i = 0; i < 4; i++) {
        out[i] = (uint8_t)(x >> (24 - 8 * i));
    }
}

static void put_u64(uint8_t *out, uint64_t x) {
    put_u32(out, (uint32_t)(x >> 32));
    put_u32(out + 4, (uint32_t)x);
}

static uint32_t get_u32(const uint8_t *p) {
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static uint64_t get_u64(const uint8_t *p) {
    return (uint64_t)get_u32(p) << 32 | get_u32(p + 4);
}

/* Over everything but the four bytes of the sum itself. */
static uint32_t crc_of(const uint8_t *p, size_t n, size_t crc_at) {
    uLong crc = crc32_z(0, p, crc_at);
    return (uint32_t)crc32_z(crc, p + crc_at + 4, n - crc_at - 4);
}

/* ---- the segment's head ---- */

void rp_journal_head_print(struct rp_buf *out, uint64_t first) {
    uint8_t head[RP_JOURNAL_HEAD];
    memcpy(head, magic, sizeof magic);
    put_u32(head + 16, VERSION);
    put_u64(head + 24, first);
    put_u32(head + 20, crc_of(head, sizeof head, 20));
    rp_buf_add(out, rp_view_of(head, sizeof head));
}

rp_err rp_journal_head_parse(rp_view bytes, uint64_t *ret_first) {
    if (bytes.n < RP_JOURNAL_HEAD ||
        !rp_view_equal(rp_view_of(bytes.p, sizeof magic), rp_view_of(magic, sizeof magic)) ||
        get_u32(bytes.p + 20) != crc_of(bytes.p, RP_JOURNAL_HEAD, 20)) {
        return RP_ERR(CORRUPT);
    }
    if (get_u32(bytes.p + 16) != VERSION) {
        return RP_ERR(EXISTS_NEWER);
    }
    *ret_first = get_u64(bytes.p + 24);
    return RP_OK;
}

/* ---- records ---- */

void rp_journal_record_print(struct rp_buf *out, const struct rp_journal_record *r) {
    RP_ASSERT(r->event.n > 0 && r->event.n <= RP_JOURNAL_EVENT_MAX);
    RP_ASSERT((size_t)r->tree.kind < RP_TREE_COUNT);
    uint8_t *p = rp_buf_extend(out, RP_JOURNAL_RECORD_HEAD + r->event.n);
    if (!p) {
        return;
    }
    put_u32(p, (uint32_t)r->event.n);
    p[8] = (uint8_t)r->tree.kind;
    p[AT_FLAGS] = r->last ? FLAG_LAST : 0;
    p[10] = p[11] = 0;
    put_u32(p + 12, r->batch);
    memcpy(p + 16, r->tree.tenant.b, RP_ID_BYTES);
    memcpy(p + 32, r->stream.b, RP_ID_BYTES);
    put_u64(p + 48, r->sequence);
    put_u64(p + 56, r->index);
    put_u64(p + 64, (uint64_t)r->received_ms);
    memcpy(p + RP_JOURNAL_RECORD_HEAD, r->event.p, r->event.n);
    put_u32(p + AT_CRC, crc_of(p, RP_JOURNAL_RECORD_HEAD + r->event.n, AT_CRC));
}

void rp_journal_mark_last(struct rp_buf *out, size_t offset) {
    RP_ASSERT(offset + RP_JOURNAL_RECORD_HEAD < out->n);
    uint8_t *p = out->p + offset;
    size_t n = RP_JOURNAL_RECORD_HEAD + get_u32(p);
    RP_ASSERT(offset + n == out->n);
    p[AT_FLAGS] = FLAG_LAST;
    put_u32(p + AT_CRC, crc_of(p, n, AT_CRC));
}

/* Cheap questions first: the search for a record at every offset asks them millions of times. */
static bool looks_like_record(rp_view v) {
    if (v.n <= RP_JOURNAL_RECORD_HEAD) {
        return false;
    }
    uint32_t n = get_u32(v.p);
    return n > 0 && n <= RP_JOURNAL_EVENT_MAX && n <= v.n - RP_JOURNAL_RECORD_HEAD &&
           v.p[8] < RP_TREE_COUNT && v.p[AT_FLAGS] <= FLAG_LAST && v.p[10] == 0 && v.p[11] == 0;
}

rp_err rp_journal_record_parse(rp_view v, struct rp_journal_record *ret_record, size_t *ret_n) {
    if (!looks_like_record(v)) {
        return RP_ERR(CORRUPT);
    }
    const uint8_t *p = v.p;
    size_t n = RP_JOURNAL_RECORD_HEAD + get_u32(p);
    if (get_u32(p + AT_CRC) != crc_of(p, n, AT_CRC)) {
        return RP_ERR(CORRUPT);
    }
    struct rp_journal_record record = {
        .tree.kind = (enum rp_tree_kind)p[8],
        .sequence = get_u64(p + 48),
        .index = get_u64(p + 56),
        .received_ms = (int64_t)get_u64(p + 64),
        .batch = get_u32(p + 12),
        .last = p[AT_FLAGS] == FLAG_LAST,
        .event = rp_view_of(p + RP_JOURNAL_RECORD_HEAD, n - RP_JOURNAL_RECORD_HEAD),
    };
    memcpy(record.tree.tenant.b, p + 16, RP_ID_BYTES);
    memcpy(record.stream.b, p + 32, RP_ID_BYTES);
    *ret_record = record;
    *ret_n = n;
    return RP_OK;
}

bool rp_journal_tail_is_altered(rp_view tail, const struct rp_journal_record *before) {
    /* The broken bytes belong to this batch; any later batch began only after it was durable. */
    uint64_t broken = before ? (uint64_t)before->batch + (before->last ? 1 : 0) : 1;
    for (size_t at = 1; at < tail.n; at++) {
        struct rp_journal_record record;
        size_t n;
        rp_err err = rp_journal_record_parse(rp_view_from(tail, at), &record, &n);
        if (rp_ok(err)) {
            if (record.batch > broken) {
                return true;
            }
            at += n - 1;
        }
    }
    return false;
}
