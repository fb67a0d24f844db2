#include "wire/json.h"

#include "base/assert.h"
#include "wire/json_members.h"

/* ---- reading a tree ---- */

const struct rp_json *rp_json_get(const struct rp_json *object, const char *key) {
    if (!object || object->kind != RP_JSON_OBJECT) {
        return NULL;
    }
    rp_view wanted = rp_view_from_cstr(key);
    for (const struct rp_json *member = object->first; member; member = member->next) {
        if (rp_view_equal(member->key, wanted)) {
            return member;
        }
    }
    return NULL;
}

rp_view rp_json_get_string(const struct rp_json *object, const char *key) {
    const struct rp_json *member = rp_json_get(object, key);
    return member && member->kind == RP_JSON_STRING ? member->string : (rp_view){NULL, 0};
}

bool rp_json_get_u64(const struct rp_json *object, const char *key, uint64_t *ret_value) {
    const struct rp_json *member = rp_json_get(object, key);
    if (!member || member->kind != RP_JSON_NUMBER || !(member->number >= 0) ||
        member->number > (double)RP_JSON_INTEGER_MAX) {
        return false;
    }
    uint64_t value = (uint64_t)member->number;
    if ((double)value != member->number) {
        return false;
    }
    *ret_value = value;
    return true;
}

bool rp_json_get_bool(const struct rp_json *object, const char *key, bool *ret_value) {
    const struct rp_json *member = rp_json_get(object, key);
    if (!member || member->kind != RP_JSON_BOOL) {
        return false;
    }
    *ret_value = member->boolean;
    return true;
}

/* ---- building a tree ---- */

static struct rp_json *node_new(struct rp_arena *arena, enum rp_json_kind kind) {
    struct rp_json *node = rp_arena_alloc(arena, sizeof *node);
    if (node) {
        node->kind = kind;
    }
    return node;
}

struct rp_json *rp_json_object(struct rp_arena *arena) {
    return node_new(arena, RP_JSON_OBJECT);
}

struct rp_json *rp_json_array(struct rp_arena *arena) {
    return node_new(arena, RP_JSON_ARRAY);
}

/* Whoever builds in order pays one comparison; others pay a walk. */
static void insert_in_order(struct rp_json *object, struct rp_json *child) {
    if (!object->last || rp_json_key_compare(object->last->key, child->key) <= 0) {
        rp_json_append(object, child);
        return;
    }
    struct rp_json **at = &object->first;
    while (rp_json_key_compare((*at)->key, child->key) <= 0) {
        at = &(*at)->next;
    }
    child->next = *at;
    *at = child;
    object->count++;
}

static bool copy_key(struct rp_arena *arena, const char *key, struct rp_json *child) {
    return rp_ok(rp_arena_copy(arena, rp_view_from_cstr(key), &child->key));
}

struct rp_json *rp_json_add(struct rp_arena *arena, struct rp_json *parent, const char *key,
                            struct rp_json *child) {
    if (!parent) {
        return NULL;
    }
    RP_ASSERT(parent->kind == (key ? RP_JSON_OBJECT : RP_JSON_ARRAY));
    if (!child || (key && !copy_key(arena, key, child))) {
        /* A document with a hole must not be printed as if it were whole. */
        parent->broken = RP_E_TOO_LARGE;
        return NULL;
    }
    if (key) {
        insert_in_order(parent, child);
    } else {
        rp_json_append(parent, child);
    }
    return child;
}

struct rp_json *rp_json_add_object(struct rp_arena *arena, struct rp_json *parent,
                                   const char *key) {
    return rp_json_add(arena, parent, key, node_new(arena, RP_JSON_OBJECT));
}

struct rp_json *rp_json_add_array(struct rp_arena *arena, struct rp_json *parent, const char *key) {
    return rp_json_add(arena, parent, key, node_new(arena, RP_JSON_ARRAY));
}

void rp_json_add_string(struct rp_arena *arena, struct rp_json *parent, const char *key,
                        rp_view v) {
    struct rp_json *node = node_new(arena, RP_JSON_STRING);
    if (node && !rp_ok(rp_arena_copy(arena, v, &node->string))) {
        node = NULL;
    }
    rp_json_add(arena, parent, key, node);
}

void rp_json_add_cstr(struct rp_arena *arena, struct rp_json *parent, const char *key,
                      const char *s) {
    rp_json_add_string(arena, parent, key, rp_view_from_cstr(s));
}

void rp_json_add_u64(struct rp_arena *arena, struct rp_json *parent, const char *key,
                     uint64_t value) {
    struct rp_json *node = node_new(arena, RP_JSON_NUMBER);
    if (node) {
        node->number = (double)value;
        node->broken = value > RP_JSON_INTEGER_MAX ? RP_E_INVALID : RP_E_NONE;
    }
    rp_json_add(arena, parent, key, node);
}

void rp_json_add_bool(struct rp_arena *arena, struct rp_json *parent, const char *key, bool value) {
    struct rp_json *node = node_new(arena, RP_JSON_BOOL);
    if (node) {
        node->boolean = value;
    }
    rp_json_add(arena, parent, key, node);
}

void rp_json_add_null(struct rp_arena *arena, struct rp_json *parent, const char *key) {
    rp_json_add(arena, parent, key, node_new(arena, RP_JSON_NULL));
}
