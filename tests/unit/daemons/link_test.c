/* What another machine may put to a role here: by the table and by the file, and nothing else. */
#include "link.h"
#include "unit.h"

static const struct rp_config_peer data = {
    .name = "data",
    .runs = RP_ROLE_BIT(RP_ROLE_LEDGER) | RP_ROLE_BIT(RP_ROLE_CORE) | RP_ROLE_BIT(RP_ROLE_HUNT)};
static const struct rp_config keys_machine = {.runs_here = RP_ROLE_BIT(RP_ROLE_KMS)};
static const struct rp_config data_machine = {.runs_here = RP_ROLE_BIT(RP_ROLE_LEDGER) |
                                                           RP_ROLE_BIT(RP_ROLE_CORE)};
static const struct rp_config_peer keys = {.name = "keys", .runs = RP_ROLE_BIT(RP_ROLE_KMS)};

static struct rp_parcel parcel_of(enum rp_role_id client, enum rp_role_id server, uint32_t number,
                                  size_t size) {
    static uint8_t bytes[RP_IPC_MAX];
    return (struct rp_parcel){.channel = 1,
                              .client = client,
                              .server = server,
                              .head = {.number = number},
                              .payload = rp_view_of(bytes, size)};
}

static const char *to_keys(enum rp_role_id client, enum rp_role_id server, uint32_t number,
                           size_t size) {
    struct rp_parcel parcel = parcel_of(client, server, number, size);
    return permit_refusal(&keys_machine, &data, &parcel);
}

static const char *to_data(enum rp_role_id client, enum rp_role_id server, uint32_t number) {
    struct rp_parcel parcel = parcel_of(client, server, number, 16);
    return permit_refusal(&data_machine, &keys, &parcel);
}

static void what_the_table_and_the_file_name_is_put(void **state) {
    (void)state;
    assert_null(to_keys(RP_ROLE_CORE, RP_ROLE_KMS, RP_IPC_CORE_KMS_LEASE, 512));
    assert_null(to_keys(RP_ROLE_HUNT, RP_ROLE_KMS, RP_IPC_HUNT_KMS_PLACE, 0));
    assert_null(to_data(RP_ROLE_KMS, RP_ROLE_LEDGER, RP_IPC_KMS_LEDGER_APPEND));
    assert_null(to_data(RP_ROLE_SUPERVISOR, RP_ROLE_LEDGER, RP_IPC_SUPERVISOR_LEDGER_APPEND));
    assert_null(to_data(RP_ROLE_LINK, RP_ROLE_LEDGER, RP_IPC_LINK_LEDGER_APPEND));
}

static void over_its_size_is_refused(void **state) {
    (void)state;
    assert_non_null(to_keys(RP_ROLE_CORE, RP_ROLE_KMS, RP_IPC_CORE_KMS_LEASE, 513));
}

static void what_is_not_in_the_table_is_refused(void **state) {
    (void)state;
    assert_non_null(to_keys(RP_ROLE_CORE, RP_ROLE_KMS, 99, 0));
    assert_non_null(to_keys(RP_ROLE_HUNT, RP_ROLE_KMS, RP_IPC_CORE_KMS_LEASE + 16, 0));
    assert_non_null(to_keys(RP_ROLE_LINK, RP_ROLE_KMS, 1, 0));
}

/* The command line's questions stand in the table; they do not cross, whatever a file says. */
static void no_command_line_crosses(void **state) {
    (void)state;
    assert_non_null(to_keys(RP_ROLE_CLI, RP_ROLE_KMS, RP_IPC_CLI_KMS_BACKUP_KEY, 16));
    assert_non_null(to_data(RP_ROLE_CLI, RP_ROLE_LEDGER, RP_IPC_CLI_LEDGER_HOLD));
}

static void a_role_that_does_not_run_there_is_refused(void **state) {
    (void)state;
    assert_non_null(to_data(RP_ROLE_CORE, RP_ROLE_LEDGER, RP_IPC_CORE_LEDGER_APPEND));
    assert_non_null(to_data(RP_ROLE_HUNT, RP_ROLE_LEDGER, RP_IPC_HUNT_LEDGER_APPEND));
}

static void a_role_that_does_not_run_here_is_not_asked(void **state) {
    (void)state;
    assert_non_null(to_keys(RP_ROLE_CORE, RP_ROLE_LEDGER, RP_IPC_CORE_LEDGER_APPEND, 16));
    assert_non_null(to_keys(RP_ROLE_CORE, RP_ROLE_COURIER, RP_IPC_CORE_COURIER_MAIL, 16));
}

static void each_reason_is_told_in_both_languages(void **state) {
    (void)state;
    for (unsigned i = 0; i < LINK_REASON_COUNT; i++) {
        rp_view said = rp_view_from_cstr(link_why((enum link_reason)i));
        assert_view_equal(rp_view_from_cstr(link_why_in(said, RP_EN)), said);
        assert_string_not_equal(link_why_in(said, RP_FR), link_why_in(said, RP_EN));
    }
    assert_string_equal(link_why_in(RP_VIEW("unreachable"), RP_FR), "injoignable");
    assert_null(link_why_in(RP_VIEW("something else"), RP_FR));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_table_and_the_file_name_is_put),
        cmocka_unit_test(over_its_size_is_refused),
        cmocka_unit_test(what_is_not_in_the_table_is_refused),
        cmocka_unit_test(no_command_line_crosses),
        cmocka_unit_test(a_role_that_does_not_run_there_is_refused),
        cmocka_unit_test(a_role_that_does_not_run_here_is_not_asked),
        cmocka_unit_test(each_reason_is_told_in_both_languages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
