/* deadline_test.c — when a register's deadline begins, moves, and ends; and what a file may say. */
#include "office.h"

static const int64_t hour_ms = 3600000;

static bool runs(rp_id record, const char *deadline, int64_t *ret_due_ms) {
    struct rp_clock clock;
    rp_err err =
        rp_clock_find(db, &(struct rp_clock_key){record, rp_view_from_cstr(deadline)}, &clock);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        return false;
    }
    assert_ok(err);
    *ret_due_ms = clock.due_ms;
    return true;
}

static void assert_runs(rp_id record, const char *deadline, int64_t days) {
    int64_t due_ms = 0, wanted_ms = rp_env_now_ms(&env) + days * day_ms;
    if (!runs(record, deadline, &due_ms)) {
        fail_msg("%s does not run", deadline);
    }
    if (due_ms < wanted_ms - 2 * day_ms || due_ms > wanted_ms + 2 * day_ms) {
        fail_msg("%s: %lld hours from now", deadline,
                 (long long)((due_ms - rp_env_now_ms(&env)) / hour_ms));
    }
}

static void assert_stands(rp_id record, const char *deadline) {
    int64_t due_ms = 0;
    if (runs(record, deadline, &due_ms)) {
        fail_msg("%s runs", deadline);
    }
}

static void what_was_never_done_is_due_too(void **state) {
    (void)state;
    char json[200];
    text_of(json, sizeof json, "{\"scenario\":\"flood\",\"owner\":\"%s\"}", ann_record);
    rp_id risk = create(owner(), "risks", json);
    assert_runs(risk, "review", 365);
    /* A review moves it, and forgetting the date does not take it away. */
    assert_ok(edit(owner(), "risks", risk, "{\"reviewed_on\":\"2026-05-24\"}"));
    assert_runs(risk, "review", 181);
    assert_ok(edit(owner(), "risks", risk, "{\"reviewed_on\":null}"));
    assert_runs(risk, "review", 365);
}

static void a_deadline_runs_only_for_whom_it_is_meant(void **state) {
    (void)state;
    rp_id asked = create(owner(), "requests",
                         "{\"reference\":\"D-1\",\"right\":\"access\",\"scope\":\"all\","
                         "\"received_on\":\"2026-11-24\"}");
    assert_runs(asked, "answer", 30);
    assert_stands(asked, "extended");
    assert_ok(edit(owner(), "requests", asked,
                   "{\"extended\":true,\"extension_reason\":\"many systems\"}"));
    assert_stands(asked, "answer");
    assert_runs(asked, "extended", 91);

    rp_id incident = create(owner(), "incidents",
                            "{\"summary\":\"x\",\"severity\":\"p1\","
                            "\"reported_at\":\"2026-11-24T12:00:00Z\"}");
    assert_stands(incident, "nis2_warning");
    assert_ok(edit(owner(), "incidents", incident, "{\"nis2_from\":\"2026-11-24T12:00:00Z\"}"));
    assert_runs(incident, "nis2_warning", 1);
    assert_stands(incident, "dora_first");
    assert_ok(edit(owner(), "incidents", incident, "{\"nis2_from\":null}"));
    assert_stands(incident, "nis2_warning");
}

static void what_is_done_escalates_no_more(void **state) {
    (void)state;
    rp_id carl = new_person("Carl", (rp_id){{0xc1}});
    assert_ok(move(owner(), "persons", carl, "leave", "{\"end\":\"2026-11-24\"}"));
    assert_runs(carl, "access", 1);
    assert_ok(move(owner(), "persons", carl, "close_access", "{}"));
    assert_stands(carl, "access");
}

static void what_nobody_signs_is_overdue(void **state) {
    (void)state;
    char json[200];
    text_of(json, sizeof json, "{\"person\":\"%s\",\"kind\":\"aup\"}", bob_record);
    rp_id ack = create(owner(), "acknowledgements", json);
    int64_t before_ns = world.now_ns;
    struct rp_entry record;
    size_t fired = 1;
    world.now_ns += 31 * day_ms * 1000000;
    while (fired > 0) {
        struct rp_desk desk = owner();
        assert_ok(rp_desk_tick(&desk, &fired));
    }
    struct rp_desk desk = owner();
    assert_ok(rp_desk_read(&desk, reg_of("acknowledgements"), ack, &record));
    assert_view(record.facts.state, "overdue");
    world.now_ns = before_ns;
}

/* ---- what a file may say ---- */

static void assert_file(const char *deadlines, const char *refusal) {
    static const char before[] =
        "id: z\nnumber: X09\nsection: a\nversion: 1\nname: [a, b]\none: [a, b]\nabout: [a, b]\n"
        "title: t\nread: [hr]\nwrite: [hr]\npromises: [S1]\nretention: 1mo\n"
        "states:\n  open: [a, b]\n  late: [a, b]\n"
        "fields:\n  t: {type: text, label: [a, b]}\n  on: {type: date, label: [a, b]}\n"
        "moves:\n  age: {label: [a, b], from: [open], to: late, automatic: true}\n"
        "deadlines:\n";
    char text[1200];
    (void)snprintf(text, sizeof text, "%s%s", before, deadlines);
    assert_register_file(text, refusal);
}

static void a_file_that_could_not_work_is_refused(void **state) {
    (void)state;
    assert_file("  d: {label: [a, b], in: [open], within: 1d, if: \"set(on)\", then: age}\n", NULL);
    assert_file("  d: {label: [a, b], in: [open], within: 1d, if: \"set(off)\", then: age}\n",
                "z.yaml: d, column 5");
    assert_file("  d: {label: [a, b], in: [open], within: 1d}\n",
                "no deadline makes the automatic move \"age\"");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_never_done_is_due_too),
        cmocka_unit_test(a_deadline_runs_only_for_whom_it_is_meant),
        cmocka_unit_test(what_is_done_escalates_no_more),
        cmocka_unit_test(what_nobody_signs_is_overdue),
        cmocka_unit_test(a_file_that_could_not_work_is_refused),
    };
    return cmocka_run_group_tests_name("deadline", tests, setup, teardown);
}
