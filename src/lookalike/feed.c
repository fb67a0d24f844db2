#include "lookalike/feed.h"

#include "base/checked.h"

/* A certificate has a hundred names at most, as issuers have it; some have two thousand. */
static const struct rp_json_limits limits = {.depth_max = 16, .count_max = 20000};

static bool all_texts(const struct rp_json *array) {
    for (const struct rp_json *one = array->first; one; one = one->next) {
        if (one->kind != RP_JSON_STRING) {
            return false;
        }
    }
    return true;
}

const struct rp_json *rp_feed_names(const struct rp_json *object) {
    const struct rp_json *leaf = rp_json_get(rp_json_get(object, "data"), "leaf_cert");
    const struct rp_json *forms[] = {rp_json_get(object, "dns_names"), rp_json_get(object, "names"),
                                     rp_json_get(leaf, "all_domains")};
    for (size_t i = 0; i < RP_COUNT_OF(forms); i++) {
        if (forms[i] && forms[i]->kind == RP_JSON_ARRAY && all_texts(forms[i])) {
            return forms[i];
        }
    }
    return NULL;
}

rp_err rp_feed_line(rp_view line, struct rp_arena *arena, const struct rp_json **ret_names,
                    struct rp_diag *diag) {
    line = rp_view_trim(line);
    if (line.n == 0 || line.p[0] == '#') {
        *ret_names = NULL;
        return RP_OK;
    }
    if (line.p[0] != '{') {
        struct rp_json *one = rp_json_array(arena);
        rp_json_add_string(arena, one, NULL, line);
        bool whole = one && one->broken == 0;
        *ret_names = whole ? one : *ret_names;
        return whole ? RP_OK : RP_ERR(TOO_LARGE);
    }
    struct rp_json *object = NULL;
    RP_TRY(rp_json_parse(line, limits, arena, &object, diag));
    const struct rp_json *names = rp_feed_names(object);
    if (!names) {
        return rp_fail(diag, RP_ERR(INVALID), "an object with the array dns_names");
    }
    *ret_names = names;
    return RP_OK;
}
