#include "ipc/table.h"

#include "ipc/ipc.h"
#include "unit.h"

/* The graph of DESIGN section 2, said a second time: a new pair must be meant twice. */
static void the_graph_is_what_the_house_says(void **state) {
    (void)state;
    static const char *const served[RP_ROLE_COUNT] = {
        [RP_ROLE_LEDGER] = "supervisor kms core probe hunt acme link witness dial cli ",
        [RP_ROLE_KMS] = "core hunt cli ",
        [RP_ROLE_SUPERVISOR] = "probe ",
        [RP_ROLE_PROBE] = "cli ",
        [RP_ROLE_HUNT] = "cli ",
        [RP_ROLE_COURIER] = "core ",
        [RP_ROLE_ACME] = "cli ",
        [RP_ROLE_VAULT] = "core hunt ",
        [RP_ROLE_DIAL] = "hunt ",
    };
    for (enum rp_role_id server = RP_ROLE_NONE; server < RP_ROLE_COUNT; server++) {
        struct rp_buf clients = rp_buf_new(200);
        for (enum rp_role_id client = RP_ROLE_NONE; client < RP_ROLE_COUNT; client++) {
            if (rp_ipc_pair_exists(client, server)) {
                rp_buf_printf(&clients, "%s ", rp_role_name(client));
            }
        }
        assert_view_equal(rp_buf_view(&clients), rp_view_from_cstr(served[server]));
        assert_int_equal(rp_ipc_socket_of(server) != NULL, served[server] != NULL);
        rp_buf_done(&clients);
    }
}

static void rules_are_found_by_pair_and_number(void **state) {
    (void)state;
    const struct rp_ipc_rule *rule =
        rp_ipc_rule_find(RP_ROLE_CORE, RP_ROLE_KMS, RP_IPC_CORE_KMS_LEASE);
    assert_non_null(rule);
    assert_string_equal(rule->name, "LEASE");
    assert_null(rp_ipc_rule_find(RP_ROLE_CLI, RP_ROLE_KMS, RP_IPC_CORE_KMS_LEASE));
    assert_null(rp_ipc_rule_find(RP_ROLE_CORE, RP_ROLE_KMS, 0));
}

static void every_message_fits_into_the_limit(void **state) {
    (void)state;
    for (enum rp_role_id client = RP_ROLE_NONE; client < RP_ROLE_COUNT; client++) {
        for (enum rp_role_id server = RP_ROLE_NONE; server < RP_ROLE_COUNT; server++) {
            for (uint32_t number = 0; number < 64; number++) {
                const struct rp_ipc_rule *rule = rp_ipc_rule_find(client, server, number);
                if (rule) {
                    assert_true(rp_ipc_pair_exists(client, server));
                    assert_true(number > 0);
                    assert_true(rule->max_request <= RP_IPC_MAX);
                    assert_true(rule->max_reply <= RP_IPC_MAX - RP_IPC_HEAD);
                }
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_graph_is_what_the_house_says),
        cmocka_unit_test(rules_are_found_by_pair_and_number),
        cmocka_unit_test(every_message_fits_into_the_limit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
