/* waf_explain.c — `rempart waf explain`: a rule, what it became, and what it costs: measured on a
 * request of the reader's, or on one as browsers send it. */
#include "base/assert.h"
#include "shield/clock_io.h"
#include "waf.h"

enum { TEXT_MAX = 1 << 20, TX_MAX = 512 << 20 };

static const char ordinary_request[] =
    "POST /catalogue/shoes?page=2&sort=price&colour=dark%20blue HTTP/1.1\r\n"
    "Host: shop.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: fr-FR,fr;q=0.8,en-US;q=0.5,en;q=0.3\r\n"
    "Referer: https://shop.example.com/catalogue\r\n"
    "Cookie: session=8f14e45fceea167a5a36dedd4bea2543; lang=fr; theme=light\r\n"
    "Content-Type: application/x-www-form-urlencoded\r\n"
    "Content-Length: 64\r\n\r\n"
    "name=Camille+Martin&street=12+rue+des+Lilas&town=Lyon&post=69003";

/* ---- the cost ---- */

struct cost {
    uint64_t id, steps;
};

static void add_cost(void *ctx, uint64_t id, uint64_t steps) {
    struct cost *cost = ctx;
    cost->steps += id == cost->id ? steps : 0;
}

static enum rp_exit read_request(struct cli *cli, struct waf_message *ret_request) {
    if (cli->request) {
        return waf_request_file(cli, cli->request, ret_request);
    }
    rp_err err = waf_read_request(rp_view_of(ordinary_request, sizeof ordinary_request - 1),
                                  cli->arena, ret_request);
    return rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, cli->command, NULL);
}

static void print_cost(const struct cli *cli, const struct cost *cost, uint64_t all) {
    const char *whose = cli->request ? cli_say(cli, "cette requête", "this request")
                                     : cli_say(cli, "une requête ordinaire", "an ordinary request");
    if (cost->steps == 0) {
        printf("  %s%s\n", cli_say(cli, "coût         ", "cost         "),
               cli->request
                   ? cli_say(cli, "rien : pour cette requête, elle n’est pas demandée",
                             "nothing: of this request it is not asked")
                   : cli_say(cli, "rien : pour une requête ordinaire, elle n’est pas demandée",
                             "nothing: of an ordinary request it is not asked"));
        return;
    }
    printf(cli_say(cli, "  coût         %llu pas des %llu que prend %s (un pas : 1 ns environ)\n",
                   "  cost         %llu of the %llu steps that %s takes (a step: about 1 ns)\n"),
           (unsigned long long)cost->steps, (unsigned long long)all, whose);
}

static enum rp_exit tell_cost(struct cli *cli, const struct rp_waf *waf, uint64_t id) {
    struct waf_message request;
    enum rp_exit code = read_request(cli, &request);
    if (code != RP_EXIT_OK) {
        return code;
    }
    struct rp_arena *arena = rp_arena_new(TX_MAX);
    const struct rp_waf_site site = {
        .mode = RP_WAF_DETECT, .clock = &rp_waf_clock, .measure = true};
    struct rp_waf_tx *tx = NULL;
    rp_err err = arena ? waf_judge(waf, &site, &request, NULL, arena, &tx) : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        struct cost cost = {.id = id};
        rp_waf_tx_costs(tx, add_cost, &cost);
        print_cost(cli, &cost, rp_waf_tx_verdict(tx)->steps);
        rp_waf_tx_done(tx);
    } else {
        code = cli_fail(cli, err, cli->request ? cli->request : cli->command, NULL);
    }
    rp_arena_free(arena);
    return code;
}

/* ---- the command ---- */

static enum rp_exit tell_rule(struct cli *cli, const struct rp_waf *waf, uint64_t id) {
    struct rp_buf text = rp_buf_new(TEXT_MAX);
    rp_err err = rp_waf_explain(waf, id, cli->lang, &text);
    if (rp_ok(err)) {
        printf("%.*s", RP_FMT(rp_buf_view(&text)));
    }
    rp_buf_done(&text);
    if (rp_is(err, RP_E_NOT_FOUND)) {
        struct rp_diag diag = cli_diag(cli);
        (void)rp_fail(
            &diag, err, "%s",
            cli_say(cli, "aucune de ces règles n’a ce numéro", "none of these rules has that id"));
        return cli_fail(cli, err, cli->args[1], &diag);
    }
    return rp_ok(err) ? tell_cost(cli, waf, id) : cli_fail(cli, err, cli->args[1], NULL);
}

enum rp_exit waf_explain(struct cli *cli) {
    uint64_t id = 0;
    if (cli->arg_count != 2 || !rp_view_to_u64(rp_view_from_cstr(cli->args[1]), UINT64_MAX, &id)) {
        return cli_usage(cli, cli_say(cli, "explain NUMÉRO", "explain ID"));
    }
    if (cli->json) {
        return cli_usage(cli, cli_say(cli, "explain n’a pas de --json", "explain has no --json"));
    }
    struct waf_rules rules;
    enum rp_exit code = waf_rules_open(cli, WAF_READY, &rules);
    if (code == RP_EXIT_OK) {
        code = tell_rule(cli, rules.waf, id);
        waf_rules_done(&rules);
    }
    return code;
}
