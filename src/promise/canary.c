#include "promise/canary.h"

#include "base/assert.h"
#include "wire/json.h"

static rp_err take(const struct rp_json *object, const char *key, struct rp_arena *arena,
                   const char **ret_text) {
    rp_view v = rp_json_get_string(object, key);
    char *text = v.n ? rp_arena_cstr(arena, v) : NULL;
    if (!text) {
        return RP_ERR(CORRUPT);
    }
    *ret_text = text;
    return RP_OK;
}

static rp_err parse_person(const struct rp_json *object, struct rp_arena *arena,
                           struct rp_canary *person) {
    if (!rp_id_parse(rp_json_get_string(object, "tenant"), &person->tenant)) {
        return RP_ERR(CORRUPT);
    }
    RP_TRY(take(object, "email", arena, &person->email));
    RP_TRY(take(object, "password", arena, &person->password));
    return take(object, "seed", arena, &person->seed);
}

rp_err rp_canaries_parse(rp_view text, struct rp_arena *arena, struct rp_canaries *ret_canaries) {
    RP_ASSERT(ret_canaries != NULL);
    struct rp_json *root = NULL;
    RP_TRY(rp_json_parse(text, RP_JSON_LIMITS, arena, &root, NULL));
    struct rp_canaries canaries = {0};
    RP_TRY(take(root, "app", arena, &canaries.app));
    RP_TRY(take(root, "app_token", arena, &canaries.app_token));
    const struct rp_json *people = rp_json_get(root, "people");
    if (!people || people->kind != RP_JSON_ARRAY || people->count != RP_CANARIES) {
        return RP_ERR(CORRUPT);
    }
    size_t i = 0;
    for (const struct rp_json *one = people->first; one; one = one->next) {
        RP_TRY(parse_person(one, arena, &canaries.people[i++]));
    }
    *ret_canaries = canaries;
    return RP_OK;
}

static void add_person(struct rp_arena *arena, struct rp_json *one,
                       const struct rp_canary *person) {
    rp_json_add_cstr(arena, one, "tenant", rp_id_print(person->tenant).s);
    rp_json_add_cstr(arena, one, "email", person->email);
    rp_json_add_cstr(arena, one, "password", person->password);
    rp_json_add_cstr(arena, one, "seed", person->seed);
}

rp_err rp_canary_parse(rp_view text, struct rp_arena *arena, struct rp_canary *ret_canary) {
    struct rp_json *root = NULL;
    struct rp_canary canary = {.email = NULL};
    RP_TRY(rp_json_parse(text, RP_JSON_LIMITS, arena, &root, NULL));
    RP_TRY(parse_person(root, arena, &canary));
    *ret_canary = canary;
    return RP_OK;
}

rp_err rp_canary_print(const struct rp_canary *canary, struct rp_arena *arena, struct rp_buf *out) {
    struct rp_json *root = rp_json_object(arena);
    add_person(arena, root, canary);
    return root ? rp_json_print(root, out) : RP_ERR(NO_MEMORY);
}

rp_err rp_canaries_print(const struct rp_canaries *canaries, struct rp_arena *arena,
                         struct rp_buf *out) {
    struct rp_json *root = rp_json_object(arena);
    rp_json_add_cstr(arena, root, "app", canaries->app);
    rp_json_add_cstr(arena, root, "app_token", canaries->app_token);
    struct rp_json *people = rp_json_add_array(arena, root, "people");
    for (size_t i = 0; i < RP_CANARIES; i++) {
        add_person(arena, rp_json_add_object(arena, people, NULL), &canaries->people[i]);
    }
    return root ? rp_json_print(root, out) : RP_ERR(NO_MEMORY);
}
