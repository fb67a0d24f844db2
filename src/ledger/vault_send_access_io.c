#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "ledger/access_io.h"
#include "ledger/vault_sending.h"
#include "os/file.h"

static rp_err send_segment(struct rp_vault_sending *s, uint64_t time_ms, uint64_t from) {
    char name[RP_ACCESS_NAME], path[RP_VAULT_PATH_SIZE];
    uint64_t total = 0;
    _cleanup_fd_ int fd = -1;
    rp_access_name(time_ms, name);
    int n = snprintf(path, sizeof path, "%s/access/%s", s->folder, name);
    RP_ASSERT(n > 0 && n < RP_VAULT_PATH_SIZE);
    RP_TRY(rp_file_open(path, &fd));
    RP_TRY(rp_file_size(fd, &total));
    while (from < total) {
        size_t bytes = (size_t)RP_MIN(total - from, (uint64_t)RP_VAULT_BYTES_MAX);
        rp_buf_clear(&s->bytes);
        uint8_t *p = rp_buf_extend(&s->bytes, bytes);
        RP_TRY(p ? rp_file_read_at(fd, from, p, bytes) : RP_ERR(NO_MEMORY));
        const struct rp_vault_request request = {
            .at = time_ms, .offset = from, .total = total, .bytes = rp_buf_view(&s->bytes)};
        RP_TRY(rp_vault_ask(s, RP_VAULT_SEGMENT, &request));
        from += bytes;
    }
    return RP_OK;
}

/* One whose days are over here is passed over; so is one that is not what its entry says. */
rp_err rp_vault_send_segments(struct rp_vault_sending *s) {
    uint64_t time_ms = 0, bytes = 0;
    for (;;) {
        const struct rp_vault_request request = {.at = time_ms};
        RP_TRY(rp_vault_ask(s, RP_VAULT_WANTED, &request));
        RP_TRY(rp_vault_wanted_unpack(rp_buf_view(&s->reply), &time_ms, &bytes));
        if (time_ms == 0) {
            return RP_OK;
        }
        rp_err err = send_segment(s, time_ms, bytes);
        if (!rp_ok(err) && !rp_is(err, RP_E_NOT_FOUND) && !rp_is(err, RP_E_CORRUPT)) {
            return err;
        }
    }
}
