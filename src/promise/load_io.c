/* load_io.c — the YAML files of promises/ into memory, every mistake named by file, line, column.
 */
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/hash.h"
#include "os/file.h"
#include "promise/promise.h"
#include "wire/yaml.h"

enum { FILE_MAX = 256 * 1024, FILES_MAX = 512, SENTENCE_MAX = 178 };

struct loader {
    struct rp_arena *arena;
    const char *folder;
    const char *file; /* being read, for messages */
    struct rp_diag *diag;
    struct rp_promises out;
    bool sentence_seen[SENTENCE_MAX + 1];
};

static rp_err wrong(struct loader *loader, const struct rp_yaml *at, const char *what) {
    return rp_fail_at(loader->diag, RP_ERR(SYNTAX), at ? at->line : 0, at ? at->column : 0,
                      "%s: %s", loader->file, what);
}

static rp_err copy_text(struct loader *loader, rp_view v, const char **ret_text) {
    char *text = rp_arena_cstr(loader->arena, v);
    if (!text) {
        return RP_ERR(TOO_LARGE);
    }
    *ret_text = text;
    return RP_OK;
}

static rp_err need_scalar(struct loader *loader, const struct rp_yaml *map, const char *key,
                          const char **ret_text) {
    rp_view v = rp_yaml_get_scalar(map, key);
    if (!v.p || v.n == 0) {
        char what[80];
        snprintf(what, sizeof what, "expected `%s`", key);
        return wrong(loader, map, what);
    }
    return copy_text(loader, v, ret_text);
}

/* {fr: …, en: …}, both there. */
static rp_err read_text(struct loader *loader, const struct rp_yaml *map,
                        struct rp_text *ret_text) {
    struct rp_text text;
    if (!map || map->kind != RP_YAML_MAPPING) {
        return wrong(loader, map, "expected a text with `fr` and `en`");
    }
    RP_TRY(need_scalar(loader, map, "fr", &text.s[RP_FR]));
    RP_TRY(need_scalar(loader, map, "en", &text.s[RP_EN]));
    *ret_text = text;
    return RP_OK;
}

/* "30s", "5m", "1h", "90d". */
static rp_err read_span(struct loader *loader, const struct rp_yaml *map, const char *key,
                        int64_t *ret_ms) {
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', 60000}, {'h', 3600000}, {'d', 86400000}};
    rp_view v = rp_yaml_get_scalar(map, key);
    uint64_t count = 0;
    for (size_t i = 0; v.n > 1 && i < RP_COUNT_OF(units); i++) {
        if (v.p[v.n - 1] == (uint8_t)units[i].unit &&
            rp_view_to_u64(rp_view_sub(v, 0, v.n - 1), 100000, &count) && count > 0) {
            *ret_ms = (int64_t)count * units[i].ms;
            return RP_OK;
        }
    }
    return wrong(loader, map, "expected `period` and `validity` like 30s, 5m, 1h, 90d");
}

static int probe_index(const char *name) {
    for (size_t i = 0; i < rp_probe_count; i++) {
        if (strcmp(rp_probes[i].name, name) == 0) {
            return (int)i;
        }
    }
    return -1;
}

static rp_err read_part(struct loader *loader, const struct rp_yaml *map, struct rp_part *part) {
    if (map->kind != RP_YAML_MAPPING) {
        return wrong(loader, map, "a part is a mapping");
    }
    const char *grade = NULL;
    RP_TRY(need_scalar(loader, map, "id", &part->id));
    RP_TRY(need_scalar(loader, map, "probe", &part->probe));
    RP_TRY(need_scalar(loader, map, "grade", &grade));
    if (grade[0] < 'A' || grade[0] > 'E' || grade[1] != 0) {
        return wrong(loader, map, "a grade is A, B, C, D or E");
    }
    part->grade = grade[0];
    RP_TRY(read_span(loader, map, "period", &part->period_ms));
    RP_TRY(read_span(loader, map, "validity", &part->validity_ms));
    RP_TRY(read_text(loader, rp_yaml_get(map, "shows"), &part->shows));
    part->probe_index = probe_index(part->probe);
    return RP_OK;
}

static size_t count_children(const struct rp_yaml *node) {
    size_t n = 0;
    for (const struct rp_yaml *child = node->first; child; child = child->next) {
        n++;
    }
    return n;
}

static rp_err read_parts(struct loader *loader, const struct rp_yaml *list,
                         struct rp_promise *promise) {
    if (!list || list->kind != RP_YAML_SEQUENCE || !list->first) {
        return wrong(loader, list, "expected `parts`, at least one");
    }
    promise->part_count = count_children(list);
    promise->parts = rp_arena_array(loader->arena, promise->part_count, sizeof *promise->parts);
    if (!promise->parts) {
        return RP_ERR(NO_MEMORY);
    }
    size_t i = 0;
    for (const struct rp_yaml *part = list->first; part; part = part->next) {
        RP_TRY(read_part(loader, part, &promise->parts[i++]));
    }
    return RP_OK;
}

/* S73 → 73, each once in the whole folder. */
static rp_err read_sentence(struct loader *loader, const struct rp_yaml *node,
                            struct rp_sentence *sentence) {
    uint64_t number = 0;
    if (node->key.n < 2 || node->key.p[0] != 'S' ||
        !rp_view_to_u64(rp_view_from(node->key, 1), SENTENCE_MAX, &number) || number == 0) {
        return wrong(loader, node, "a sentence is S1 to S178");
    }
    if (loader->sentence_seen[number]) {
        return wrong(loader, node, "this sentence stands in another promise already");
    }
    loader->sentence_seen[number] = true;
    sentence->number = (unsigned)number;
    return read_text(loader, node, &sentence->text);
}

static rp_err read_sentences(struct loader *loader, const struct rp_yaml *map,
                             struct rp_promise *promise) {
    if (!map || map->kind != RP_YAML_MAPPING || !map->first) {
        return wrong(loader, map, "expected `sentences`, at least one");
    }
    promise->sentence_count = count_children(map);
    promise->sentences =
        rp_arena_array(loader->arena, promise->sentence_count, sizeof *promise->sentences);
    if (!promise->sentences) {
        return RP_ERR(NO_MEMORY);
    }
    size_t i = 0;
    for (const struct rp_yaml *node = map->first; node; node = node->next) {
        RP_TRY(read_sentence(loader, node, &promise->sentences[i++]));
    }
    loader->out.sentence_count += promise->sentence_count;
    return RP_OK;
}

static bool section_known(const struct loader *loader, const char *id) {
    for (size_t i = 0; i < loader->out.section_count; i++) {
        if (strcmp(loader->out.sections[i].id, id) == 0) {
            return true;
        }
    }
    return false;
}

static rp_err read_promise(struct loader *loader, const struct rp_yaml *root,
                           struct rp_promise *promise) {
    RP_TRY(need_scalar(loader, root, "id", &promise->id));
    for (size_t i = 0; i < loader->out.count; i++) {
        if (strcmp(loader->out.promises[i].id, promise->id) == 0) {
            return wrong(loader, root, "another file has this id");
        }
    }
    RP_TRY(need_scalar(loader, root, "section", &promise->section));
    if (!section_known(loader, promise->section)) {
        return wrong(loader, rp_yaml_get(root, "section"), "sections.yaml has no such section");
    }
    RP_TRY(read_sentences(loader, rp_yaml_get(root, "sentences"), promise));
    RP_TRY(read_text(loader, rp_yaml_get(root, "enforced_by"), &promise->enforced_by));
    RP_TRY(read_parts(loader, rp_yaml_get(root, "parts"), promise));
    const struct rp_yaml *not_met = rp_yaml_get(root, "not_met");
    return not_met ? read_text(loader, not_met, &promise->not_met) : RP_OK;
}

static rp_err read_yaml(struct loader *loader, const char *name, struct rp_yaml **ret_root,
                        struct rp_sha256 *ret_hash) {
    rp_view path = rp_arena_printf(loader->arena, "%s/%s", loader->folder, name);
    if (!path.p) {
        return RP_ERR(NO_MEMORY);
    }
    loader->file = (const char *)path.p;
    rp_view text = {NULL, 0};
    rp_err err = rp_file_read(loader->file, FILE_MAX, loader->arena, &text);
    if (!rp_ok(err)) {
        return rp_fail(loader->diag, err, "%s", loader->file);
    }
    *ret_hash = rp_sha256_of(text);
    struct rp_diag inner = {0};
    err = rp_yaml_parse(text, loader->arena, ret_root, &inner);
    return rp_ok(err) ? RP_OK
                      : rp_fail_at(loader->diag, err, inner.line, inner.column, "%s: %s",
                                   loader->file, inner.text);
}

static rp_err read_sections(struct loader *loader) {
    struct rp_yaml *root = NULL;
    struct rp_sha256 hash;
    RP_TRY(read_yaml(loader, "sections.yaml", &root, &hash));
    const struct rp_yaml *list = rp_yaml_get(root, "sections");
    if (!list || list->kind != RP_YAML_SEQUENCE) {
        return wrong(loader, root, "expected `sections`, a list");
    }
    loader->out.sections =
        rp_arena_array(loader->arena, count_children(list), sizeof *loader->out.sections);
    if (!loader->out.sections) {
        return RP_ERR(NO_MEMORY);
    }
    for (const struct rp_yaml *one = list->first; one; one = one->next) {
        struct rp_section *section = &loader->out.sections[loader->out.section_count++];
        RP_TRY(need_scalar(loader, one, "id", &section->id));
        RP_TRY(read_text(loader, rp_yaml_get(one, "title"), &section->title));
    }
    return RP_OK;
}

static rp_err load_one(void *ctx, const char *name, bool is_folder) {
    struct loader *loader = ctx;
    rp_view v = rp_view_from_cstr(name);
    if (is_folder || !rp_view_ends(v, RP_VIEW(".yaml")) ||
        rp_view_equal(v, RP_VIEW("sections.yaml"))) {
        return RP_OK;
    }
    if (loader->out.count == FILES_MAX) {
        return rp_fail(loader->diag, RP_ERR(TOO_LARGE), "more than %d promises", FILES_MAX);
    }
    struct rp_yaml *root = NULL;
    struct rp_sha256 hash;
    RP_TRY(read_yaml(loader, name, &root, &hash));
    struct rp_promise promise = {0};
    RP_TRY(read_promise(loader, root, &promise));
    memcpy(promise.file_sha256, hash.b, sizeof promise.file_sha256);
    loader->out.promises[loader->out.count++] = promise;
    return RP_OK;
}

rp_err rp_promises_load(const char *folder, struct rp_arena *arena,
                        struct rp_promises *ret_promises, struct rp_diag *diag) {
    RP_ASSERT(folder != NULL && ret_promises != NULL);
    struct loader loader = {.arena = arena, .folder = folder, .file = folder, .diag = diag};
    RP_TRY(read_sections(&loader));
    loader.out.promises = rp_arena_array(arena, FILES_MAX, sizeof *loader.out.promises);
    if (!loader.out.promises) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_folder_each(folder, load_one, &loader));
    if (loader.out.count == 0) {
        return rp_fail(diag, RP_ERR(NOT_FOUND), "%s holds no promise", folder);
    }
    *ret_promises = loader.out;
    return RP_OK;
}
