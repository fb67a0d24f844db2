/* gate_renew.c — `rempart gate renew`: the acme role is asked to try now, and how it went is said.
 */
#include "base/checked.h"
#include "config/config.h"
#include "gate.h"
#include "ipc/ipc.h"

enum { WITHIN_MS = 180000, NAME_MAX_BYTES = 253, REPLY = 512 };

/* *ret_problem: what the first name that failed has to say; empty = all is well. */
static rp_err renew(struct cli *cli, rp_view name, rp_view *ret_problem) {
    _cleanup_(rp_buf_done) struct rp_buf request = rp_buf_new(NAME_MAX_BYTES + 8);
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(REPLY);
    rp_pack_bytes(&request, name);
    RP_TRY(rp_buf_err(&request));
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CLI, RP_ROLE_ACME, WITHIN_MS);
    rp_err err = client ? rp_ipc_call(client, (enum rp_ipc_message)RP_IPC_CLI_ACME_RENEW,
                                      rp_buf_view(&request), &reply)
                        : RP_ERR(NO_MEMORY);
    rp_ipc_client_free(client);
    RP_TRY(err);
    struct rp_unpack in = rp_unpack_new(rp_buf_view(&reply));
    rp_view problem = rp_unpack_bytes(&in, REPLY);
    RP_TRY(rp_unpack_end(&in));
    return rp_arena_copy(cli->arena, problem, ret_problem);
}

enum rp_exit cli_gate_renew(struct cli *cli) {
    rp_view name = cli->arg_count > 1 ? rp_view_from_cstr(cli->args[1]) : RP_VIEW("");
    rp_view problem = RP_VIEW("");
    if (cli->arg_count > 2 || name.n > NAME_MAX_BYTES) {
        return cli_usage(cli, cli_say(cli, "renew [NOM]", "renew [NAME]"));
    }
    rp_err err = cli_enter_state(cli);
    if (rp_ok(err)) {
        err = renew(cli, name, &problem);
    }
    if (rp_is(err, RP_E_UNREACHABLE)) {
        fprintf(stderr, "rempart: %s\n",
                cli_say(cli,
                        "rempart-acme ne tourne pas : acme.directory est-il dans rempart.yaml ?",
                        "rempart-acme does not run: is acme.directory in rempart.yaml?"));
        return RP_EXIT_FINDING;
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->arg_count > 1 ? cli->args[1] : "renew", NULL);
    }
    if (problem.n > 0) {
        fprintf(stderr, "rempart: %.*s\n", RP_FMT(problem));
        return RP_EXIT_FINDING;
    }
    printf("%s\n", cli_say(cli, "renouvelé ; la porte le présente dans une seconde ou deux",
                           "renewed; the gate shows it within a second or two"));
    return RP_EXIT_OK;
}
