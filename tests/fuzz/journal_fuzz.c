/* A journal's bytes: a record that is accepted prints the same; the search behind broken bytes
 * ends. */
#include "fuzz.h"
#include "ledger/journal.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    rp_view rest = rp_view_of(data, n);
    struct rp_journal_record record, before;
    bool any = false;
    size_t used;
    uint64_t first;
    if (rp_ok(rp_journal_head_parse(rest, &first))) {
        struct rp_buf out = rp_buf_new(RP_JOURNAL_HEAD);
        rp_journal_head_print(&out, first);
        FUZZ_CHECK(rp_view_equal(rp_buf_view(&out), rp_view_sub(rest, 0, RP_JOURNAL_HEAD)));
        rp_buf_done(&out);
        rest = rp_view_from(rest, RP_JOURNAL_HEAD);
    }
    while (rp_ok(rp_journal_record_parse(rest, &record, &used))) {
        struct rp_buf out = rp_buf_new(used);
        FUZZ_CHECK(used <= rest.n && record.event.n > 0);
        rp_journal_record_print(&out, &record);
        FUZZ_CHECK(rp_view_equal(rp_buf_view(&out), rp_view_sub(rest, 0, used)));
        rp_buf_done(&out);
        rest = rp_view_from(rest, used);
        before = record;
        any = true;
    }
    (void)rp_journal_tail_is_altered(rest, any ? &before : NULL);
    return 0;
}
