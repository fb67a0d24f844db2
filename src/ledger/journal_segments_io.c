#include "ledger/journal_segments.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "base/id.h"
#include "os/file.h"

static const rp_view suffix = RP_VIEW_INIT(".log");

void rp_journal_segment_path(const char *folder, uint64_t first,
                             char out[static RP_JOURNAL_PATH_SIZE]) {
    int n =
        snprintf(out, RP_JOURNAL_PATH_SIZE, "%s/%016llx.log", folder, (unsigned long long)first);
    RP_ASSERT(n > 0 && n < RP_JOURNAL_PATH_SIZE);
}

bool rp_journal_segment_of_name(const char *name, uint64_t *ret_first) {
    rp_view v = rp_view_from_cstr(name);
    uint8_t bytes[8];
    if (!rp_view_ends(v, suffix) ||
        !rp_hex_parse(rp_view_sub(v, 0, v.n - suffix.n), bytes, sizeof bytes)) {
        return false;
    }
    uint64_t first = 0;
    for (size_t i = 0; i < sizeof bytes; i++) {
        first = first << 8 | bytes[i];
    }
    *ret_first = first;
    return true;
}

static rp_err see_segment(void *ctx, const char *name, bool is_folder) {
    struct rp_journal_segments *s = ctx;
    uint64_t number;
    if (is_folder || !rp_journal_segment_of_name(name, &number)) {
        return RP_OK;
    }
    s->first = s->any ? RP_MIN(s->first, number) : number;
    s->last = s->any ? RP_MAX(s->last, number) : number;
    s->any = true;
    if (number > s->after && (!s->has_next || number < s->next)) {
        s->next = number;
        s->has_next = true;
    }
    return RP_OK;
}

rp_err rp_journal_segments_find(const char *folder, uint64_t after,
                                struct rp_journal_segments *ret) {
    struct rp_journal_segments s = {.after = after};
    RP_TRY(rp_folder_each(folder, see_segment, &s));
    *ret = s;
    return RP_OK;
}
