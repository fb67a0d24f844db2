/* breached_io.c — the list as a file, read in pieces. */
#include <errno.h>
#include <unistd.h>

#include "base/assert.h"
#include "crypto/hash.h"
#include "identity/breached.h"
#include "os/file.h"

static rp_err read_piece(void *ctx, uint64_t at, uint8_t *out, size_t n, size_t *ret_n) {
    const struct rp_breached_file *file = ctx;
    size_t got = 0;
    while (got < n) {
        ssize_t more = pread(file->fd, out + got, n - got, (off_t)(at + got));
        if (more < 0 && errno == EINTR) {
            continue;
        }
        if (more < 0) {
            return rp_err_from_errno(errno);
        }
        if (more == 0) {
            break;
        }
        got += (size_t)more;
    }
    *ret_n = got;
    return RP_OK;
}

rp_err rp_breached_open(const char *path, struct rp_breached_file *ret_file, struct rp_diag *diag) {
    RP_ASSERT(path != NULL && ret_file != NULL);
    *ret_file = (struct rp_breached_file){.fd = -1};
    rp_err err = rp_file_open(path, &ret_file->fd);
    if (rp_ok(err)) {
        err = rp_file_size(ret_file->fd, &ret_file->list.size);
    }
    if (!rp_ok(err)) {
        rp_breached_close(ret_file);
        return rp_fail(diag, err, "%s", path);
    }
    ret_file->list.read = read_piece;
    ret_file->list.ctx = ret_file;
    err = rp_breached_sample(&ret_file->list, 1, diag);
    if (!rp_ok(err)) {
        rp_breached_close(ret_file);
    }
    return err;
}

void rp_breached_close(struct rp_breached_file *file) {
    rp_fd_done(&file->fd);
    file->fd = -1;
}

rp_err rp_breached_has(const struct rp_breached_file *file, rp_view password, bool *ret_found) {
    uint8_t hash[RP_SHA1];
    _Static_assert((int)RP_SHA1 == (int)RP_BREACHED_HASH, "the list's hash");
    if (!file || file->fd < 0) {
        *ret_found = false;
        return RP_OK;
    }
    rp_sha1_of(password, hash);
    rp_err err = rp_breached_find(&file->list, hash, ret_found);
    rp_wipe(hash, sizeof hash);
    return err;
}
