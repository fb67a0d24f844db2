/* ngx_rempart_waf_memory.c — the memory of rules in a zone of nginx's shared memory. Its lock is
 * the zone's own, which nginx's master opens when a worker dies with it. */
#include "ngx_rempart_waf.h"

#include "judge/waf_memory.h"

enum { ZONE_BYTES = 1 << 20 };
_Static_assert(sizeof(struct judge_memory) + 64 * 1024 <= ZONE_BYTES, "the table fits its zone");

typedef struct {
    struct rp_waf_memory memory; /* what the engine is given; first, see start_tx */
    ngx_slab_pool_t *slab;
    struct judge_memory *table;
} zone_t;

static bool get(void *ctx, rp_view key, int64_t now_s, struct rp_arena *arena, rp_view *ret_value) {
    zone_t *zone = ctx;
    rp_view value, copy;
    ngx_shmtx_lock(&zone->slab->mutex);
    bool found = rp_ok(judge_memory_get(zone->table, key, now_s, &value)) &&
                 rp_ok(rp_arena_copy(arena, value, &copy));
    ngx_shmtx_unlock(&zone->slab->mutex);
    if (found) {
        *ret_value = copy;
    }
    return found;
}

static void put(void *ctx, rp_view key, rp_view value, int64_t expires_s) {
    zone_t *zone = ctx;
    ngx_shmtx_lock(&zone->slab->mutex);
    judge_memory_put(zone->table, key, value, expires_s);
    ngx_shmtx_unlock(&zone->slab->mutex);
}

/* At a reload the table of before goes on. */
static ngx_int_t zone_init(ngx_shm_zone_t *shm_zone, void *data) {
    zone_t *zone = shm_zone->data;
    const zone_t *before = data;
    zone->slab = (ngx_slab_pool_t *)shm_zone->shm.addr;
    zone->table = before                 ? before->table
                  : shm_zone->shm.exists ? zone->slab->data
                                         : ngx_slab_calloc(zone->slab, sizeof *zone->table);
    if (!zone->table) {
        return NGX_ERROR;
    }
    zone->slab->data = zone->table;
    return NGX_OK;
}

ngx_int_t ngx_rempart_waf_memory_init(ngx_conf_t *cf, ngx_rempart_main_conf_t *main_conf) {
    static ngx_str_t name = ngx_string("rempart_waf");
    zone_t *zone = ngx_pcalloc(cf->pool, sizeof *zone);
    ngx_shm_zone_t *shm_zone =
        ngx_shared_memory_add(cf, &name, ZONE_BYTES, &ngx_http_rempart_module);
    if (!zone || !shm_zone) {
        return NGX_ERROR;
    }
    zone->memory = (struct rp_waf_memory){.ctx = zone, .get = get, .put = put};
    shm_zone->init = zone_init;
    shm_zone->data = zone;
    main_conf->waf_memory = shm_zone;
    return NGX_OK;
}
