/* schema_read.c — what the readers of a register's YAML share. */
#include "register/schema_read.h"

#include "base/buf.h"

rp_err rp_schema_wrong(const struct rp_reading *r, const struct rp_yaml *at, const char *what,
                       const char *name) {
    return rp_fail_at(r->diag, RP_ERR(SYNTAX), at ? at->line : 1, at ? at->column : 1, "%s: %s%s",
                      r->file, what, name ? name : "");
}

const struct rp_yaml *rp_schema_first(const struct rp_yaml *map) {
    return map ? map->first : NULL;
}

size_t rp_schema_count(const struct rp_yaml *node) {
    size_t n = 0;
    for (const struct rp_yaml *one = rp_schema_first(node); one; one = one->next) {
        n++;
    }
    return n;
}

/* A key that nobody knows is a mistake, not a wish. */
rp_err rp_schema_known_keys(const struct rp_reading *r, const struct rp_yaml *map,
                            const char *keys) {
    if (!map || map->kind != RP_YAML_MAPPING) {
        return rp_schema_wrong(r, map, "expected {key: value}", NULL);
    }
    for (const struct rp_yaml *one = map->first; one; one = one->next) {
        rp_view rest = rp_view_from_cstr(keys);
        bool found = false;
        while (rest.p && !found) {
            found = rp_view_equal(rp_view_cut(&rest, ' '), one->key);
        }
        if (!found) {
            return rp_fail_at(r->diag, RP_ERR(UNKNOWN_KEY), one->key_line, one->key_column,
                              "%s: \"%.*s\"; known: %s", r->file, RP_FMT(one->key), keys);
        }
    }
    return RP_OK;
}

rp_err rp_schema_copy(const struct rp_reading *r, rp_view v, const char **ret_text) {
    char *text = rp_arena_cstr(r->arena, v);
    if (!text) {
        return RP_ERR(TOO_LARGE);
    }
    *ret_text = text;
    return RP_OK;
}

rp_err rp_schema_optional(const struct rp_reading *r, const struct rp_yaml *map, const char *key,
                          const char **ret_text) {
    const struct rp_yaml *node = rp_yaml_get(map, key);
    if (!node) {
        return RP_OK;
    }
    if (node->kind != RP_YAML_SCALAR || node->scalar.n == 0) {
        return rp_schema_wrong(r, node, "expected a text: ", key);
    }
    return rp_schema_copy(r, node->scalar, ret_text);
}

rp_err rp_schema_needed(const struct rp_reading *r, const struct rp_yaml *map, const char *key,
                        const char **ret_text) {
    RP_TRY(rp_schema_optional(r, map, key, ret_text));
    return *ret_text ? RP_OK : rp_schema_wrong(r, map, "missing: ", key);
}

/* Small letters, digits and `extra`. */
bool rp_schema_is_id(rp_view v, char extra) {
    for (size_t i = 0; i < v.n; i++) {
        uint8_t c = v.p[i];
        if (!((c >= 'a' && c <= 'z') || (i > 0 && ((c >= '0' && c <= '9') || c == extra)))) {
            return false;
        }
    }
    return v.n > 0 && v.n <= 40;
}

rp_err rp_schema_key_id(const struct rp_reading *r, const struct rp_yaml *node, char extra,
                        const char **ret_id) {
    return rp_schema_is_id(node->key, extra)
               ? rp_schema_copy(r, node->key, ret_id)
               : rp_schema_wrong(r, node, "expected a short name in small letters", NULL);
}

rp_err rp_schema_bool(const struct rp_reading *r, const struct rp_yaml *map, const char *key,
                      bool *ret_yes) {
    rp_view v = rp_yaml_get_scalar(map, key);
    if (v.p && !rp_view_equal(v, RP_VIEW("true")) && !rp_view_equal(v, RP_VIEW("false"))) {
        return rp_schema_wrong(r, rp_yaml_get(map, key), "expected true or false: ", key);
    }
    *ret_yes = rp_view_equal(v, RP_VIEW("true"));
    return RP_OK;
}

/* ["français", "English"] */
rp_err rp_schema_words(const struct rp_reading *r, const struct rp_yaml *node, const char *key,
                       struct rp_words *ret_words) {
    const struct rp_yaml *fr = rp_schema_first(node), *en = fr ? fr->next : NULL;
    if (!node || node->kind != RP_YAML_SEQUENCE || !en || fr->kind != RP_YAML_SCALAR ||
        en->kind != RP_YAML_SCALAR || fr->scalar.n == 0 || en->scalar.n == 0) {
        return rp_schema_wrong(r, node, "expected [\"français\", \"English\"]: ", key);
    }
    RP_TRY(rp_schema_copy(r, fr->scalar, &ret_words->s[RP_FR]));
    return rp_schema_copy(r, en->scalar, &ret_words->s[RP_EN]);
}

rp_err rp_schema_need_words(const struct rp_reading *r, const struct rp_yaml *map, const char *key,
                            struct rp_words *ret_words) {
    const struct rp_yaml *node = rp_yaml_get(map, key);
    return node ? rp_schema_words(r, node, key, ret_words)
                : rp_schema_wrong(r, map, "missing: ", key);
}

rp_err rp_schema_names(const struct rp_reading *r, const struct rp_yaml *map, const char *key,
                       struct rp_names *ret_names) {
    const struct rp_yaml *node = rp_yaml_get(map, key);
    if (node && (node->kind != RP_YAML_SEQUENCE || rp_schema_count(node) > RP_LIST_MAX)) {
        return rp_schema_wrong(r, node, "expected a list of at most 16: ", key);
    }
    for (const struct rp_yaml *one = rp_schema_first(node); one; one = one->next) {
        if (one->kind != RP_YAML_SCALAR) {
            return rp_schema_wrong(r, one, "expected a name", NULL);
        }
        RP_TRY(rp_schema_copy(r, one->scalar, &ret_names->s[ret_names->n++]));
    }
    return RP_OK;
}

rp_err rp_schema_span(const struct rp_reading *r, const struct rp_yaml *node,
                      struct rp_span *ret_span) {
    return node && node->kind == RP_YAML_SCALAR && rp_span_parse(node->scalar, ret_span)
               ? RP_OK
               : rp_schema_wrong(r, node, "expected a span like 72h, 30d, 1wd, 12mo", NULL);
}

/* An expression's own column counts from where its text begins. */
rp_err rp_schema_expr(const struct rp_reading *r, const struct rp_yaml *node,
                      struct rp_expr **ret_expr) {
    struct rp_diag inner = {0};
    if (node->kind != RP_YAML_SCALAR) {
        return rp_schema_wrong(r, node, "expected an expression", NULL);
    }
    rp_err err = rp_expr_parse(node->scalar, r->arena, ret_expr, &inner);
    return rp_ok(err) ? RP_OK
                      : rp_fail_at(r->diag, err, node->line, node->column + inner.column, "%s: %s",
                                   r->file, inner.text);
}

rp_err rp_schema_array(const struct rp_reading *r, const struct rp_yaml *map, size_t most,
                       size_t size, void **ret_array, const char *key) {
    size_t n = rp_schema_count(map);
    if (map && map->kind != RP_YAML_MAPPING) {
        return rp_schema_wrong(r, map, "expected {name: …}: ", key);
    }
    if (n > most) {
        return rp_schema_wrong(r, map, "too many: ", key);
    }
    *ret_array = rp_arena_array(r->arena, n + 1, size);
    return *ret_array ? RP_OK : RP_ERR(TOO_LARGE);
}
