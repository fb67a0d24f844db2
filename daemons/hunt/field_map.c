/* field_map.c — what the published schemas say is sealed, looked for where it would lie open. */
#include "base/checked.h"
#include "hunt.h"
#include "register/desk.h"

enum { ARENA_BYTES = 8 * 1024 * 1024 };

struct mapping {
    uint64_t rows, open;
    struct rp_id_text first;
    const char *field;
};

static rp_err look_for_open(void *ctx, const struct rp_facts *facts) {
    struct mapping *mapping = ctx;
    mapping->rows++;
    for (size_t i = 0; i < facts->reg->field_count; i++) {
        const struct rp_field *field = &facts->reg->fields[i];
        if (field->sealed && rp_json_get(facts->open, field->id)) {
            if (mapping->open == 0) {
                mapping->first = facts->id_text;
                mapping->field = field->id;
            }
            mapping->open++;
        }
    }
    return RP_OK;
}

static rp_err map_registers(struct rp_desk *desk, struct mapping *mapping) {
    for (size_t i = 0; i < desk->registers->count; i++) {
        struct rp_asking asking = rp_desk_asking(desk);
        RP_TRY(asking.each(desk, &desk->registers->list[i], NULL, (rp_view){NULL, 0}, look_for_open,
                           mapping));
    }
    return RP_OK;
}

/*= S83: what the map says is sealed lies sealed */
void hunt_field_map(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    struct rp_desk desk = {.env = &hunt->env, .registers = hunt->registers, .arena = arena};
    struct mapping mapping = {.rows = 0};
    rp_err err = arena ? rp_inspect_system(hunt->config->store, &desk.db) : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        err = map_registers(&desk, &mapping);
    }
    rp_inspect_close(desk.db);
    if (!rp_ok(err)) {
        rp_probe_unsure(seen, "the registers cannot be read: %s", rp_err_text(err, RP_EN));
    } else if (mapping.open > 0) {
        rp_probe_broken(seen, "%llu sealed fields lie open, first \"%s\" of record %s",
                        (unsigned long long)mapping.open, mapping.field, mapping.first.s);
    } else if (mapping.rows == 0) {
        rp_probe_not_met(seen, "the registers are empty");
    } else {
        rp_probe_holds(seen, "%llu records, each as the published map says",
                       (unsigned long long)mapping.rows);
    }
}
