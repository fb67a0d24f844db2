#include "keys/half_io.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"

static const char folder[] = "kms/tenants";

enum { FOLDER_MODE = 0700, MODE = 0600 };

struct path {
    char s[sizeof folder + 1 + RP_ID_TEXT + 1];
};

static struct path path_of(rp_id tenant) {
    struct path path;
    RP_ASSERT(!rp_id_is_none(tenant));
    (void)snprintf(path.s, sizeof path.s, "%s/%s", folder, rp_id_print(tenant).s);
    return path;
}

rp_err rp_half_open(const struct rp_hierarchy *hierarchy, rp_id tenant,
                    struct rp_secret **ret_half) {
    struct path path = path_of(tenant);
    uint8_t sealed[RP_HALF_BYTES];
    _cleanup_fd_ int fd = -1;
    uint64_t size = 0;
    RP_TRY(rp_file_open(path.s, &fd));
    RP_TRY(rp_file_size(fd, &size));
    if (size != sizeof sealed) {
        return RP_ERR(CORRUPT);
    }
    RP_TRY(rp_file_read_at(fd, 0, sealed, sizeof sealed));
    return rp_hierarchy_open_half(hierarchy, tenant, rp_view_of(sealed, sizeof sealed), ret_half);
}

static rp_err make_new(const struct rp_env *env, const struct rp_hierarchy *hierarchy, rp_id tenant,
                       struct rp_secret **ret_half) {
    struct path path = path_of(tenant);
    _cleanup_(rp_secret_freep) struct rp_secret *half = NULL;
    _cleanup_(rp_buf_done) struct rp_buf sealed = rp_buf_new(RP_HALF_BYTES);
    RP_TRY(rp_secret_new_random(env, RP_TENANT_HALF, &half));
    RP_TRY(rp_hierarchy_seal_half(hierarchy, tenant, half, &sealed));
    RP_ASSERT(sealed.n == RP_HALF_BYTES);
    RP_TRY(rp_folder_make(folder, FOLDER_MODE));
    RP_TRY(rp_folder_sync("kms"));
    RP_TRY(rp_file_create(path.s, MODE, rp_buf_view(&sealed)));
    *ret_half = rp_take(&half);
    return RP_OK;
}

rp_err rp_half_make(const struct rp_env *env, const struct rp_hierarchy *hierarchy, rp_id tenant,
                    struct rp_secret **ret_half) {
    rp_err err = rp_half_open(hierarchy, tenant, ret_half);
    return rp_is(err, RP_E_NOT_FOUND) ? make_new(env, hierarchy, tenant, ret_half) : err;
}

/*= S90 */ /* what is needed to open a closed tenant's key is no more, in any copy */
rp_err rp_half_destroy(const struct rp_env *env, rp_id tenant) {
    struct path path = path_of(tenant);
    uint8_t noise[RP_HALF_BYTES];
    _cleanup_fd_ int fd = -1;
    if (!rp_file_exists(path.s)) {
        return RP_OK;
    }
    env->fill_random(env->ctx, noise, sizeof noise);
    RP_TRY(rp_file_open_rw(path.s, MODE, &fd));
    RP_TRY(rp_file_write_at(fd, 0, rp_view_of(noise, sizeof noise)));
    RP_TRY(rp_file_sync(fd));
    RP_TRY(rp_file_remove(path.s));
    return rp_folder_sync(folder);
}
