/* book.c — acme/state.json: read once at the start, written whole after every attempt. */
#include <stdio.h>

#include "acme.h"
#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "wire/json.h"

enum { STATE_MAX = 64 * 1024 };
static const char state_file[] = "acme/state.json";

struct entry *book_find(struct book *book, rp_view name) {
    for (size_t i = 0; i < book->count; i++) {
        if (rp_view_equal_nocase(rp_view_from_cstr(book->entries[i].name), name)) {
            return &book->entries[i];
        }
    }
    return NULL;
}

static int64_t seconds(const struct rp_json *json, const char *key) {
    uint64_t value = 0;
    return rp_json_get_u64(json, key, &value) ? (int64_t)RP_MIN(value, (uint64_t)INT64_MAX / 2) : 0;
}

static void read_entry(struct entry *entry, const struct rp_json *json) {
    entry->since_s = seconds(json, "since_s");
    entry->until_s = seconds(json, "until_s");
    entry->tried_s = seconds(json, "tried_s");
    entry->next_s = seconds(json, "next_s");
    entry->failures = (uint64_t)RP_MIN(seconds(json, "failures"), (int64_t)1000);
    rp_view reason = rp_json_get_string(json, "reason");
    memcpy(entry->reason, reason.n ? reason.p : (const uint8_t *)"",
           RP_MIN(reason.n, sizeof entry->reason - 1));
}

/* Damaged or absent is an empty book: the next attempt writes it anew. */
static void read_state(struct book *book, const struct daemon *daemon) {
    struct rp_arena *arena = rp_arena_new(8 * STATE_MAX);
    struct rp_json *json = NULL;
    rp_view text, url = rp_view_from_cstr(rp_config_acme_url(&daemon->config));
    if (arena && rp_ok(rp_file_read(state_file, STATE_MAX, arena, &text)) &&
        rp_ok(rp_json_parse(text, RP_JSON_LIMITS, arena, &json, NULL))) {
        bool same = rp_view_equal(rp_json_get_string(json, "directory"), url);
        const struct rp_json *names = rp_json_get(json, "names");
        rp_json_get_u64(json, "issued", &book->issued);
        for (const struct rp_json *it = same && names ? names->first : NULL; it; it = it->next) {
            struct entry *entry = book_find(book, rp_json_get_string(it, "name"));
            if (entry) {
                read_entry(entry, it);
            }
        }
    }
    rp_arena_free(arena);
}

/* What the gate lost, by a restore or by hand, is asked for again. */
static void look_at_the_gate(struct book *book) {
    char path[ACME_NAME_MAX + 32];
    for (size_t i = 0; i < book->count; i++) {
        snprintf(path, sizeof path, "gate/acme/%s.pem", book->entries[i].name);
        if (book->entries[i].failures == 0 && !rp_file_exists(path)) {
            book->entries[i].next_s = 0;
        }
    }
}

rp_err book_open(struct book *book, const struct daemon *daemon) {
    const char *names[RP_CONFIG_NAMES_MAX];
    book->count = rp_config_acme_names(&daemon->config, names);
    for (size_t i = 0; i < book->count; i++) {
        int n = snprintf(book->entries[i].name, ACME_NAME_MAX, "%s", names[i]);
        RP_ASSERT(n > 0 && n < ACME_NAME_MAX);
    }
    read_state(book, daemon);
    look_at_the_gate(book);
    return rp_folder_make("acme/live", 0755);
}

static void add_entry(struct rp_arena *arena, struct rp_json *names, const struct entry *entry) {
    struct rp_json *json = rp_json_add_object(arena, names, NULL);
    rp_json_add_cstr(arena, json, "name", entry->name);
    rp_json_add_u64(arena, json, "since_s", (uint64_t)entry->since_s);
    rp_json_add_u64(arena, json, "until_s", (uint64_t)entry->until_s);
    rp_json_add_u64(arena, json, "tried_s", (uint64_t)entry->tried_s);
    rp_json_add_u64(arena, json, "next_s", (uint64_t)entry->next_s);
    rp_json_add_u64(arena, json, "failures", entry->failures);
    rp_json_add_cstr(arena, json, "reason", entry->reason);
}

rp_err book_save(const struct book *book, const struct daemon *daemon) {
    struct rp_arena *arena = rp_arena_new(8 * STATE_MAX);
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(STATE_MAX);
    if (!arena) {
        return RP_ERR(NO_MEMORY);
    }
    struct rp_json *json = rp_json_object(arena);
    rp_json_add_cstr(arena, json, "directory", rp_config_acme_url(&daemon->config));
    rp_json_add_u64(arena, json, "issued", book->issued);
    struct rp_json *names = rp_json_add_array(arena, json, "names");
    for (size_t i = 0; i < book->count; i++) {
        add_entry(arena, names, &book->entries[i]);
    }
    rp_err err = rp_json_print(json, &text);
    if (rp_ok(err)) {
        err = rp_file_replace(state_file, 0640, rp_buf_view(&text));
    }
    rp_arena_free(arena);
    return err;
}
