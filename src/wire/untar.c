#include "wire/untar.h"

#include "base/checked.h"

static rp_view take(rp_view *rest, uint64_t max) {
    rp_view taken = rp_view_sub(*rest, 0, (size_t)RP_MIN((uint64_t)rest->n, max));
    *rest = rp_view_from(*rest, taken.n);
    return taken;
}

/* *ret_done when all of it was there. */
static rp_err skip_padding(struct rp_untar *untar, rp_view *rest, bool *ret_done) {
    rp_view zeros = take(rest, untar->padding);
    for (size_t i = 0; i < zeros.n; i++) {
        if (zeros.p[i] != 0) {
            return RP_ERR(CORRUPT);
        }
    }
    untar->padding -= zeros.n;
    *ret_done = untar->padding == 0;
    return RP_OK;
}

static rp_err take_header(struct rp_untar *untar, rp_view *rest, struct rp_untar_step *step) {
    rp_view part = take(rest, RP_TAR_BLOCK - untar->have);
    memcpy(untar->block + untar->have, part.p, part.n);
    untar->have += part.n;
    if (untar->have < RP_TAR_BLOCK) {
        return RP_OK;
    }
    untar->have = 0;
    RP_TRY(rp_tar_parse(untar->block, &step->entry));
    if (step->entry.name.n == 0) {
        untar->empty++;
        step->what = untar->empty == 2 ? RP_UNTAR_END : RP_UNTAR_MORE;
        return RP_OK;
    }
    if (untar->empty > 0) {
        return RP_ERR(CORRUPT);
    }
    untar->left = step->entry.size;
    untar->padding = rp_tar_padding(step->entry.size);
    untar->in_file = true;
    step->what = RP_UNTAR_FILE;
    return RP_OK;
}

rp_err rp_untar_step(struct rp_untar *untar, rp_view *rest, struct rp_untar_step *ret_step) {
    struct rp_untar_step step = {.what = RP_UNTAR_MORE};
    bool done = false;
    if (untar->in_file && untar->left > 0) {
        step.bytes = take(rest, untar->left);
        untar->left -= step.bytes.n;
        step.what = step.bytes.n > 0 ? RP_UNTAR_BYTES : RP_UNTAR_MORE;
    } else if (untar->in_file) {
        untar->in_file = false;
        step.what = RP_UNTAR_CLOSE;
    } else if (rest->n > 0 && untar->empty == 2) {
        return RP_ERR(CORRUPT);
    } else {
        RP_TRY(skip_padding(untar, rest, &done));
        while (done && rest->n > 0 && step.what == RP_UNTAR_MORE) {
            RP_TRY(take_header(untar, rest, &step));
            if (untar->empty == 2 && rest->n > 0) {
                return RP_ERR(CORRUPT);
            }
        }
    }
    *ret_step = step;
    return RP_OK;
}

bool rp_untar_ended(const struct rp_untar *untar) {
    return untar->empty == 2 && untar->have == 0;
}
