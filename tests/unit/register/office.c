/* office.c — the registers of the tree on a database of their own, with Ann and Bob. */
#include "office.h"

#include <stdlib.h>
#include <unistd.h>

#include "base/buf.h"

struct unit_world world;
struct rp_env env;
static struct rp_store *store;
struct rp_db *db;
struct rp_arena *lasting, *arena;
struct rp_registers registers;
struct rp_secret *key;
static char *folder;
static char before[4096];
struct rp_diag diag;
rp_id ann, bob; /* accounts */
rp_id ann_record, bob_record;

struct rp_desk owner(void) {
    diag = (struct rp_diag){0};
    return (struct rp_desk){.env = &env,
                            .db = db,
                            .key = key,
                            .registers = &registers,
                            .arena = arena,
                            .lang = RP_EN,
                            .diag = &diag,
                            .actor = {.owner = true, .how = "cli"}};
}

struct rp_desk person(rp_id account) {
    struct rp_desk desk = owner();
    desk.actor = (struct rp_actor){
        .operator_role = true, .how = "session", .second_factor_ms = rp_env_now_ms(&env)};
    assert_ok(rp_desk_sit(&desk, account));
    return desk;
}

const struct rp_register *reg_of(const char *id) {
    const struct rp_register *reg = rp_register_find(&registers, rp_view_from_cstr(id));
    assert_non_null(reg);
    return reg;
}

struct rp_change change_of(const char *json) {
    struct rp_json *fields = NULL;
    assert_ok(rp_json_parse(rp_view_from_cstr(json), RP_JSON_LIMITS, arena, &fields, NULL));
    return (struct rp_change){.fields = fields};
}

rp_err try_create(struct rp_desk desk, const char *reg, const char *json, rp_id *ret_id) {
    struct rp_change change = change_of(json);
    struct rp_entry record;
    RP_TRY(rp_desk_create(&desk, reg_of(reg), &change, &record));
    *ret_id = record.facts.id;
    return RP_OK;
}

void check(rp_err err) {
    if (!rp_ok(err)) {
        fail_msg("%s: %s", rp_err_name(err), diag.text);
    }
}

rp_id create(struct rp_desk desk, const char *reg, const char *json) {
    rp_id id = {{0}};
    check(try_create(desk, reg, json, &id));
    return id;
}

rp_err move(struct rp_desk desk, const char *reg, rp_id id, const char *name, const char *json) {
    struct rp_change change = change_of(json);
    change.reason = RP_VIEW("because");
    struct rp_entry record;
    return rp_desk_move(&desk, reg_of(reg), id, rp_view_from_cstr(name), &change, &record);
}

rp_err edit(struct rp_desk desk, const char *reg, rp_id id, const char *json) {
    struct rp_change change = change_of(json);
    struct rp_entry record;
    return rp_desk_edit(&desk, reg_of(reg), id, &change, &record);
}

/* The pattern with its one %s filled. */
void text_of(char *out, size_t n, const char *pattern, rp_id id) {
    struct rp_buf text = rp_buf_new(n - 1);
    rp_view rest = rp_view_from_cstr(pattern);
    size_t hole = rp_view_find(rest, RP_VIEW("%s"));
    assert_true(hole < rest.n);
    rp_buf_add(&text, rp_view_sub(rest, 0, hole));
    rp_buf_add_cstr(&text, rp_id_print(id).s);
    rp_buf_add(&text, rp_view_from(rest, hole + 2));
    assert_ok(rp_buf_err(&text));
    memcpy(out, text.p, text.n);
    out[text.n] = 0;
    rp_buf_done(&text);
}

rp_id new_person(const char *name, rp_id account) {
    char json[300];
    int n = snprintf(json, sizeof json,
                     "{\"name\":\"%s\",\"kind\":\"employee\",\"start\":\"2026-11-02\","
                     "\"account\":\"%s\"}",
                     name, rp_id_print(account).s);
    assert_true(n > 0 && (size_t)n < sizeof json);
    return create(owner(), "persons", json);
}

int setup(void **state) {
    (void)state;
    world = (struct unit_world){.now_ns = INT64_C(1795521600) * 1000000000};
    env = unit_env(&world);
    assert_ok(rp_crypto_start());
    folder = unit_dir_new();
    lasting = rp_arena_new(64 << 20);
    arena = rp_arena_new(64 << 20);
    const char *source = getenv("REMPART_SOURCE");
    char path[4096];
    (void)snprintf(path, sizeof path, "%s/registers", source ? source : ".");
    rp_err err = rp_registers_load(path, lasting, &registers, &diag);
    if (!rp_ok(err)) {
        print_error("%s: %u:%u %s\n", rp_err_name(err), diag.line, diag.column, diag.text);
        return -1;
    }
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(folder), 0);
    assert_ok(rp_store_open(&env, unit_store_url(), &store, NULL));
    assert_ok(rp_store_system(store, &db, NULL));
    assert_ok(rp_secret_new_random(&env, 32, &key));
    struct rp_desk desk = owner();
    assert_ok(rp_desk_check_schemas(&desk));
    ann = (rp_id){{0xa1}};
    bob = (rp_id){{0xb0}};
    ann_record = new_person("Ann", ann);
    bob_record = new_person("Bob", bob);
    return 0;
}

int teardown(void **state) {
    (void)state;
    rp_secret_free(key);
    rp_store_close(store);
    rp_arena_free(arena);
    rp_arena_free(lasting);
    assert_int_equal(chdir(before), 0);
    unit_dir_remove(folder);
    return 0;
}

size_t events_with(const char *needle) {
    struct rp_arena *own = rp_arena_new(4 << 20);
    uint64_t first = 0;
    rp_view *events = NULL;
    size_t count = 0, found = 0;
    assert_ok(rp_db_outbox(db, 5000, own, &first, &events, &count));
    for (size_t i = 0; i < count; i++) {
        found += rp_view_find(events[i], rp_view_from_cstr(needle)) < events[i].n;
    }
    rp_arena_free(own);
    return found;
}

void assert_register_file(const char *text, const char *refusal) {
    struct rp_registers more = {rp_arena_array(lasting, registers.count + 1, sizeof *more.list),
                                registers.count + 1};
    assert_non_null(more.list);
    memcpy(more.list, registers.list, registers.count * sizeof *more.list);
    diag = (struct rp_diag){0};
    check(rp_register_parse(rp_view_from_cstr(text), "z.yaml", lasting, &more.list[registers.count],
                            &diag));
    for (size_t i = 0; i < registers.count; i++) {
        struct rp_register *reg = &more.list[i];
        while (reg->rule_count > 0 && reg->rules[reg->rule_count - 1].gate) {
            reg->rule_count--; /* the gates stand in them already */
        }
    }
    rp_err err = rp_registers_check(&more, lasting, &diag);
    if (!refusal) {
        check(err);
        return;
    }
    assert_err(err, UNKNOWN_KEY);
    if (!strstr(diag.text, refusal)) {
        fail_msg("\"%s\" does not say \"%s\"", diag.text, refusal);
    }
}
