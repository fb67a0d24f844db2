/* tenants.c — each tenant's file alone, and all of them together: nothing mixed, nothing bare. */
#include <stdio.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "hunt.h"
#include "ipc/ipc.h"
#include "ledger/read_io.h"
#include "os/file.h"
#include "wire/json.h"

enum {
    DIGESTS_MAX = 200000,
    INVENTORY_MAX = 1 << 20,
    WRAPPED_HEAD = 24,
    LOG_TRIES = 20,
    LOG_PAUSE_MS = 500
};

struct walk {
    struct rp_observation *seen;
    bool (*look)(void *ctx, struct rp_db *db, rp_id tenant, const char *file);
    void *ctx;
    size_t files;
    bool concluded;
};

static rp_err look_at(void *ctx, const struct rp_inspected *one) {
    struct walk *walk = ctx;
    if (walk->concluded) {
        return RP_OK;
    }
    if (!rp_ok(one->err)) {
        walk->concluded = true;
        rp_probe_unsure(walk->seen, "%s cannot be read: %s", one->name,
                        rp_err_text(one->err, RP_EN));
        return RP_OK;
    }
    walk->files++;
    walk->concluded = !walk->look(walk->ctx, one->db, one->tenant, one->name);
    return RP_OK;
}

size_t hunt_each_tenant(const struct hunt *hunt, struct rp_observation *seen,
                        bool (*look)(void *ctx, struct rp_db *db, rp_id tenant, const char *file),
                        void *ctx) {
    struct walk walk = {.seen = seen, .look = look, .ctx = ctx};
    rp_err err = rp_inspect_each_tenant(hunt->config->store, look_at, &walk);
    if (!walk.concluded && (!rp_ok(err) || walk.files == 0)) {
        rp_probe_unsure(seen, "no tenant's database can be read: %s",
                        rp_err_text(rp_ok(err) ? RP_ERR(NOT_FOUND) : err, RP_EN));
        return 0;
    }
    return walk.concluded ? 0 : walk.files;
}

/* ---- S66-68: one file, one tenant; no row stands in two files ---- */

struct crossing {
    struct rp_observation *seen;
    struct rp_sha256 *digests;
    size_t count;
};

static bool one_owner(struct crossing *crossing, struct rp_db *db, rp_id tenant, const char *file) {
    struct rp_row *row = NULL;
    bool has_row = false;
    /* In PostgreSQL the reader sees whose rows there are; a file has one owner. */
    rp_err err = rp_db_query(
        db, "SELECT tenant FROM owner ORDER BY CASE WHEN tenant = ?1 THEN 0 ELSE 1 END LIMIT 1",
        &row);
    if (rp_ok(err)) {
        rp_row_bind_id(row, 1, tenant);
        err = rp_row_next(row, &has_row);
    }
    if (!rp_ok(err) || !has_row) {
        rp_probe_unsure(crossing->seen, "%s cannot be read", file);
        return false;
    }
    rp_id owner = rp_row_id(row, 0);
    rp_row_done(row);
    if (rp_id_is_none(tenant) || !rp_id_equal(owner, tenant)) {
        rp_probe_broken(crossing->seen, "%s belongs to another tenant than its name says", file);
        return false;
    }
    return true;
}

/* Sealed bytes begin with a random nonce: the same bytes in two files were copied. */
static bool gather_digests(void *ctx, struct rp_db *db, rp_id tenant, const char *file) {
    struct crossing *crossing = ctx;
    if (!one_owner(crossing, db, tenant, file)) {
        return false;
    }
    struct rp_row *row = NULL;
    rp_err err =
        rp_db_query(db,
                    "SELECT sealed FROM record UNION ALL SELECT sealed FROM record_version UNION "
                    "ALL SELECT sealed FROM collection UNION ALL SELECT wrapped FROM tenant_key",
                    &row);
    bool has_row = rp_ok(err);
    while (has_row && crossing->count < DIGESTS_MAX) {
        err = rp_row_next(row, &has_row);
        has_row = has_row && rp_ok(err);
        if (has_row) {
            crossing->digests[crossing->count++] = rp_sha256_of(rp_row_blob(row, 0));
        }
    }
    rp_row_done(row);
    if (!rp_ok(err)) {
        rp_probe_unsure(crossing->seen, "%s cannot be read", file);
    }
    return rp_ok(err);
}

static int compare_digests(const void *a, const void *b) {
    return rp_view_compare(rp_view_of(a, RP_SHA256), rp_view_of(b, RP_SHA256));
}

/*= S66, S67, S68: a tenant's file holds that tenant and nobody else. */
void hunt_files_cross_read(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct crossing crossing = {.seen = seen,
                                .digests = calloc(DIGESTS_MAX, sizeof *crossing.digests)};
    if (!crossing.digests) {
        rp_probe_unsure(seen, "out of memory");
        return;
    }
    size_t files = hunt_each_tenant(hunt, seen, gather_digests, &crossing);
    if (files) {
        qsort(crossing.digests, crossing.count, sizeof *crossing.digests, compare_digests);
        size_t twice = 0;
        for (size_t i = 1; i < crossing.count; i++) {
            twice += compare_digests(&crossing.digests[i - 1], &crossing.digests[i]) == 0;
        }
        if (twice) {
            rp_probe_broken(seen, "%zu sealed rows stand in two places", twice);
        } else {
            rp_probe_holds(seen,
                           "%zu tenants' files, each with its own tenant only; %zu sealed rows, "
                           "none of them twice",
                           files, crossing.count);
        }
    }
    free(crossing.digests);
}

/* ---- S82: everything stored says AES-256-GCM, and is long enough to be it ---- */

struct sealed_count {
    struct rp_observation *seen;
    size_t rows;
};

static bool all_sealed(void *ctx, struct rp_db *db, rp_id tenant, const char *file) {
    (void)tenant;
    struct sealed_count *count = ctx;
    struct rp_row *row = NULL;
    rp_err err = rp_db_query(db,
                             "SELECT sealed FROM record UNION ALL SELECT sealed FROM "
                             "record_version UNION ALL SELECT sealed FROM collection",
                             &row);
    bool has_row = rp_ok(err);
    bool good = true;
    while (has_row && good) {
        err = rp_row_next(row, &has_row);
        has_row = has_row && rp_ok(err);
        if (has_row) {
            rp_view blob = rp_row_blob(row, 0);
            good = blob.n >= 32 && rp_view_starts(blob, RP_VIEW("RP1A"));
            count->rows++;
        }
    }
    rp_row_done(row);
    if (!rp_ok(err)) {
        rp_probe_unsure(count->seen, "%s cannot be read", file);
    } else if (!good) {
        rp_probe_broken(count->seen, "%s holds a record that is not sealed", file);
    }
    return rp_ok(err) && good;
}

/*= S82: what is stored is sealed with AES-256. */
void hunt_aes_header(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct sealed_count count = {.seen = seen};
    size_t files = hunt_each_tenant(hunt, seen, all_sealed, &count);
    if (files) {
        rp_probe_holds(seen, "%zu records in %zu tenants' files, each sealed with AES-256-GCM",
                       count.rows, files);
    }
}

/* ---- S84: every stored key was wrapped by a key of our own service ---- */

struct inventory {
    struct rp_observation *seen;
    struct rp_arena *arena;
    const struct rp_json *keys;
    size_t checked;
};

static bool is_ours(const struct inventory *inventory, rp_id master) {
    struct rp_id_text wanted = rp_id_print(master);
    for (const struct rp_json *key = inventory->keys->first; key; key = key->next) {
        if (rp_view_equal(rp_json_get_string(key, "id"), rp_view_of(wanted.s, RP_ID_TEXT))) {
            return true;
        }
    }
    return false;
}

/* "RPW1" or "RPW2" · master key id (16) · version (4) · sealed. */
static bool check_wrapped(struct inventory *inventory, rp_view wrapped, const char *file) {
    rp_id master;
    if (wrapped.n < WRAPPED_HEAD + 32 ||
        (!rp_view_starts(wrapped, RP_VIEW("RPW1")) && !rp_view_starts(wrapped, RP_VIEW("RPW2")))) {
        rp_probe_broken(inventory->seen, "%s holds a key that is not wrapped", file);
        return false;
    }
    memcpy(master.b, wrapped.p + 4, sizeof master.b);
    if (inventory->keys && !is_ours(inventory, master)) {
        rp_probe_broken(inventory->seen, "%s holds a key that was wrapped by a foreign key %s",
                        file, rp_id_print(master).s);
        return false;
    }
    inventory->checked++;
    return true;
}

static bool check_keys(void *ctx, struct rp_db *db, rp_id tenant, const char *file) {
    (void)tenant;
    struct inventory *inventory = ctx;
    struct rp_row *row = NULL;
    rp_err err = rp_db_query(db, "SELECT wrapped FROM tenant_key", &row);
    bool has_row = rp_ok(err);
    bool good = true;
    while (has_row && good) {
        err = rp_row_next(row, &has_row);
        has_row = has_row && rp_ok(err);
        good = !has_row || check_wrapped(inventory, rp_row_blob(row, 0), file);
    }
    rp_row_done(row);
    if (!rp_ok(err)) {
        rp_probe_unsure(inventory->seen, "%s cannot be read", file);
    }
    return rp_ok(err) && good;
}

static rp_err read_inventory(struct inventory *inventory) {
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(RP_IPC_MAX);
    struct rp_json *root = NULL;
    RP_TRY(hunt_ask_kms(RP_IPC_HUNT_KMS_INVENTORY, &reply));
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&reply));
    rp_view text = rp_unpack_bytes(&in, RP_IPC_MAX);
    RP_TRY(rp_unpack_end(&in));
    RP_TRY(rp_json_parse(text, RP_JSON_LIMITS, inventory->arena, &root, NULL));
    inventory->keys = rp_json_get(root, "keys");
    return inventory->keys ? RP_OK : RP_ERR(CORRUPT);
}

/*= S84: the keys are ours, made and kept by our own key service. */
void hunt_key_inventory(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct inventory inventory = {.seen = seen, .arena = rp_arena_new(INVENTORY_MAX * 4)};
    rp_err err = inventory.arena ? read_inventory(&inventory) : RP_ERR(NO_MEMORY);
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "the key service shows no inventory");
    } else if (hunt_each_tenant(hunt, seen, check_keys, &inventory)) {
        rp_probe_holds(
            seen, "%zu keys of tenants, each wrapped by one of the %zu keys of our own service",
            inventory.checked, inventory.keys->count);
    }
    rp_arena_free(inventory.arena);
}

/* ---- S85: a stored key opens through the key service only, and not for us ---- */

/* Says who we are, then who we are not: both must be turned away. */
static bool kms_refuses(struct rp_observation *seen) {
    /* Under core's name: the table of pairs does not even let us ask under our own. */
    static const enum rp_role_id names[] = {RP_ROLE_CORE};
    for (size_t i = 0; i < RP_COUNT_OF(names); i++) {
        struct rp_ipc_client *client = rp_ipc_client_new(names[i], RP_ROLE_KMS, 2000);
        struct rp_buf request = rp_buf_new(1024), reply = rp_buf_new(RP_IPC_MAX);
        rp_pack_id(&request, (rp_id){{1}});
        rp_pack_bytes(&request,
                      RP_VIEW("RPW1 a stolen wrapped key of no tenant at all, long enough"));
        rp_err err = client
                         ? rp_ipc_call(client, RP_IPC_CORE_KMS_LEASE, rp_buf_view(&request), &reply)
                         : RP_ERR(NO_MEMORY);
        rp_ipc_client_free(client);
        rp_buf_done(&request);
        rp_buf_done(&reply);
        if (rp_ok(err)) {
            rp_probe_broken(seen, "the key service lent a key to a process that is not core");
            return false;
        }
    }
    return true;
}

/*= S85: data keys are stored wrapped, and open through the key service alone. */
void hunt_wrapped_only(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct inventory inventory = {.seen = seen};
    if (hunt_each_tenant(hunt, seen, check_keys, &inventory) && kms_refuses(seen)) {
        rp_probe_holds(
            seen, "%zu stored keys, each wrapped; the key service refused to open one for a thief",
            inventory.checked);
    }
}

/* ---- S114: the customer's log holds as many events as the database ever made ---- */

struct completeness {
    struct rp_observation *seen;
    const atomic_bool *stopping;
    size_t tenants;
    uint64_t events;
};

static rp_err tree_size(rp_id tenant, uint64_t *ret_size) {
    char folder[40], path[64];
    rp_tree_folder((struct rp_tree){.kind = RP_TREE_TENANT, .tenant = tenant}, folder);
    (void)snprintf(path, sizeof path, "ledger/%s", folder);
    struct rp_log *log = NULL;
    rp_err err = rp_log_open(path, (rp_view){NULL, 0}, &log, NULL);
    if (rp_ok(err)) {
        *ret_size = rp_log_size(log);
        rp_log_free(log);
    }
    return err;
}

static rp_err ever_emitted(struct rp_db *db, uint64_t *ret_last) {
    struct rp_row *row = NULL;
    bool has_row = false;
    RP_TRY(rp_db_query(db, "SELECT last FROM outbox_state", &row));
    rp_err err = rp_row_next(row, &has_row);
    if (rp_ok(err) && has_row) {
        *ret_last = rp_row_u64(row, 0);
    }
    rp_row_done(row);
    return rp_ok(err) && !has_row ? RP_ERR(CORRUPT) : err;
}

/* Events travel: what the database counted first, the log must hold within ten seconds. */
static bool log_complete(void *ctx, struct rp_db *db, rp_id tenant, const char *file) {
    struct completeness *all = ctx;
    uint64_t last = 0, size = 0;
    if (!rp_ok(ever_emitted(db, &last))) {
        rp_probe_unsure(all->seen, "%s cannot be read", file);
        return false;
    }
    rp_err err = RP_OK;
    for (int i = 0; i < LOG_TRIES && last > 0; i++) {
        err = tree_size(tenant, &size);
        if (rp_ok(err) && size >= last) {
            break;
        }
        (void)rp_probe_wait(all->stopping, LOG_PAUSE_MS);
    }
    if (size < last) {
        rp_probe_broken(all->seen, "the database of a tenant made %llu events, its log holds %llu",
                        (unsigned long long)last, (unsigned long long)size);
        return false;
    }
    all->tenants++;
    all->events += last;
    return true;
}

/*= S114: the customers' audit logs are complete. */
void hunt_audit_complete(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct completeness all = {.seen = seen, .stopping = &hunt->stopping};
    if (hunt_each_tenant(hunt, seen, log_complete, &all)) {
        rp_probe_holds(
            seen, "%zu tenants: each log holds every event that the database counted, %llu in all",
            all.tenants, (unsigned long long)all.events);
    }
}
