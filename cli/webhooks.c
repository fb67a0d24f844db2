/* webhooks.c — `rempart notify webhooks`, `test`, `resume`: the operator's own programs that learn
 * of events.
 */
#include <time.h>

#include "base/checked.h"
#include "cli.h"
#include "webhooks.h"

#define WEBHOOKS "/.rempart/api/v1/admin/webhooks"

enum { TEST_MS = 60000, LOOK_MS = 500 };

static void print_one(const struct cli *cli, const struct rp_json *one) {
    uint64_t sent = 0;
    rp_view problem = rp_json_get_string(one, "problem"), last = rp_json_get_string(one, "last");
    (void)rp_json_get_u64(one, "sent", &sent);
    printf("%-16.*s %-8.*s %8llu  %.*s\n", RP_FMT(rp_json_get_string(one, "name")),
           RP_FMT(rp_json_get_string(one, "state")), (unsigned long long)sent,
           RP_FMT(rp_json_get_string(one, "endpoint")));
    if (last.n > 0) {
        printf("  %.*s  %.*s\n", RP_FMT(last),
               RP_FMT(problem.n > 0 ? problem : rp_view_from_cstr(cli_say(cli, "reçu", "taken"))));
    }
}

/* 1 when one of them fails or is paused. */
enum rp_exit cli_webhooks_list(struct cli *cli) {
    struct rp_json *answer = NULL;
    enum rp_exit code = cli_ask(cli, "GET", WEBHOOKS, NULL, &answer);
    if (code != RP_EXIT_OK) {
        return code;
    }
    const struct rp_json *list = rp_json_get(answer, "webhooks");
    bool well = true;
    for (const struct rp_json *one = list ? list->first : NULL; one; one = one->next) {
        well = well && rp_view_equal(rp_json_get_string(one, "state"), RP_VIEW("running"));
        if (!cli->json) {
            print_one(cli, one);
        }
    }
    if (cli->json) {
        cli_print_json(answer);
    } else if (!list || list->count == 0) {
        puts(cli_say(cli, "aucun webhook (webhooks: dans rempart.yaml)",
                     "no webhook (webhooks: in rempart.yaml)"));
    }
    return well ? RP_EXIT_OK : RP_EXIT_FINDING;
}

static enum rp_exit act(struct cli *cli, const char *name, const char *what) {
    struct rp_json *answer = NULL;
    rp_view path = rp_arena_printf(cli->arena, WEBHOOKS "/%s/%s", name, what);
    return path.p ? cli_ask(cli, "POST", (const char *)path.p, NULL, &answer)
                  : cli_fail(cli, RP_ERR(NO_MEMORY), cli->command, NULL);
}

enum rp_exit cli_webhooks_resume(struct cli *cli, const char *name) {
    return act(cli, name, "resume");
}

static const struct rp_json *find(const struct rp_json *answer, const char *name) {
    const struct rp_json *list = rp_json_get(answer, "webhooks");
    for (const struct rp_json *one = list ? list->first : NULL; one; one = one->next) {
        if (rp_view_equal(rp_json_get_string(one, "name"), rp_view_from_cstr(name))) {
            return one;
        }
    }
    return NULL;
}

/* Called within a second; a receiver has half a minute to answer. */
enum rp_exit cli_webhooks_test(struct cli *cli, const char *name) {
    const struct timespec pause = {.tv_nsec = (long)LOOK_MS * 1000000};
    enum rp_exit code = act(cli, name, "test");
    for (int waited_ms = 0; code == RP_EXIT_OK && waited_ms < TEST_MS; waited_ms += LOOK_MS) {
        struct rp_json *answer = NULL;
        code = cli_ask(cli, "GET", WEBHOOKS, NULL, &answer);
        const struct rp_json *one = code == RP_EXIT_OK ? find(answer, name) : NULL;
        const struct rp_json *testing = rp_json_get(one, "testing");
        if (testing && !testing->boolean) {
            rp_view problem = rp_json_get_string(one, "problem");
            print_one(cli, one);
            return problem.n > 0 ? RP_EXIT_FINDING : RP_EXIT_OK;
        }
        nanosleep(&pause, NULL);
    }
    return code == RP_EXIT_OK ? cli_fail(cli, RP_ERR(TIMEOUT), name, NULL) : code;
}
