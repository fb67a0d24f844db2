#include "keys/backup_key.h"

#include "crypto/hash.h"

static rp_id place(rp_id backup) {
    rp_id id;
    struct rp_sha256 hash =
        rp_sha256_of2(RP_VIEW("rempart backup key"), rp_view_of(backup.b, sizeof backup.b));
    memcpy(id.b, hash.b, sizeof id.b);
    return id;
}

rp_err rp_backup_key_new(const struct rp_hierarchy *hierarchy, rp_id backup,
                         struct rp_buf *ret_wrapped, struct rp_secret **ret_key) {
    size_t before = ret_wrapped->n;
    RP_TRY(rp_hierarchy_new_tenant_key(hierarchy, place(backup), NULL, ret_wrapped));
    return rp_backup_key_open(hierarchy, backup, rp_view_from(rp_buf_view(ret_wrapped), before),
                              ret_key);
}

rp_err rp_backup_key_open(const struct rp_hierarchy *hierarchy, rp_id backup, rp_view wrapped,
                          struct rp_secret **ret_key) {
    return rp_hierarchy_unwrap(hierarchy, place(backup), NULL, wrapped, ret_key, NULL);
}
