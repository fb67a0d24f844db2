/* journal.h — one record of the journal, as bytes.
 *
 *   segment = head record…         head = "rempart-journal\n" version:u32 crc:u32 first:u64
 *   record  = n:u32 crc:u32 kind:u8 flags:u8 zero:u16 batch:u32 tenant:16 stream:16
 *             sequence:u64 index:u64 received_ms:i64 event:n          all numbers big-endian
 *
 * crc is CRC-32 (zlib's) over all other bytes. A batch is what one group commit wrote; its last
 * record says so. So a reader knows which records were durable together, and can tell a torn last
 * write (never acknowledged) from an altered record in the middle.
 */
#ifndef RP_LEDGER_JOURNAL_H
#define RP_LEDGER_JOURNAL_H

#include "base/buf.h"
#include "ledger/client.h"

enum { RP_JOURNAL_HEAD = 32, RP_JOURNAL_RECORD_HEAD = 72, RP_JOURNAL_EVENT_MAX = RP_EVENT_MAX };

struct rp_journal_record {
    struct rp_tree tree;
    rp_id stream;
    uint64_t sequence;
    uint64_t index; /* the leaf's place in its tree */
    int64_t received_ms;
    uint32_t batch;
    bool last; /* of its batch */
    rp_view event;
};

void rp_journal_head_print(struct rp_buf *out, uint64_t first);
rp_err rp_journal_head_parse(rp_view bytes, uint64_t *ret_first);

void rp_journal_record_print(struct rp_buf *out, const struct rp_journal_record *record);
/* Sets the flag "last" in the record that starts at `offset` of the buffer. */
void rp_journal_mark_last(struct rp_buf *out, size_t offset);
/* The record at the start of bytes and its size. CORRUPT when no whole record stands there. */
rp_err rp_journal_record_parse(rp_view bytes, struct rp_journal_record *ret_record, size_t *ret_n);

/* What stands after the bytes that no longer parse. `tail` starts with them; `before` is the last
 * good record, or NULL. True when a record follows that was written after the broken one had been
 * made durable: then the file was altered, not torn. */
bool rp_journal_tail_is_altered(rp_view tail, const struct rp_journal_record *before);

#endif
