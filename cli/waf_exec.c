/* waf_exec.c — one raw request judged, and everything that was seen; and how long it takes. */
#include <stdlib.h>
#include <time.h>

#include "base/assert.h"
#include "base/checked.h"
#include "os/file.h"
#include "shield/clock_io.h"
#include "shield/rule_files_io.h"
#include "waf.h"
#include "wire/encode.h"
#include "wire/http.h"

enum { MESSAGE_MAX = 64 << 20, TX_MAX = 512 << 20 };

/* ---- what comes in ---- */

struct messages {
    struct waf_message request, response;
    bool has_response;
};

enum rp_exit waf_request_file(struct cli *cli, const char *path, struct waf_message *ret_request) {
    rp_view raw;
    rp_err err = rp_file_read(path, MESSAGE_MAX, cli->arena, &raw);
    struct rp_diag diag = cli_diag(cli);
    if (rp_ok(err)) {
        err = waf_read_request(raw, cli->arena, ret_request);
    }
    if (rp_ok(err) && !waf_is_request(ret_request)) {
        err = rp_fail_at(&diag, RP_ERR(SYNTAX), 1, 1, "%s",
                         cli_say(cli,
                                 "ce n’est pas une requête HTTP ; attendu une ligne comme "
                                 "« GET /chemin HTTP/1.1 », puis ses en-têtes",
                                 "no HTTP request; expected a line such as \"GET /path "
                                 "HTTP/1.1\", then its headers"));
    }
    return rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, path, &diag);
}

static rp_err read_response(struct cli *cli, struct waf_message *ret_response,
                            struct rp_diag *diag) {
    rp_view raw;
    RP_TRY(rp_file_read(cli->response, MESSAGE_MAX, cli->arena, &raw));
    rp_err err = waf_read_response(raw, cli->arena, ret_response);
    return rp_is(err, RP_E_INVALID)
               ? rp_fail_at(diag, RP_ERR(SYNTAX), 1, 1, "%s",
                            cli_say(cli,
                                    "ce n’est pas une réponse HTTP ; attendu une ligne comme "
                                    "« HTTP/1.1 200 OK », puis ses en-têtes",
                                    "no HTTP response; expected a line such as \"HTTP/1.1 200 "
                                    "OK\", then its headers"))
               : err;
}

static enum rp_exit read_messages(struct cli *cli, struct messages *ret_messages) {
    struct rp_diag diag = cli_diag(cli);
    enum rp_exit code = waf_request_file(cli, cli->request, &ret_messages->request);
    if (code != RP_EXIT_OK || !cli->response) {
        return code;
    }
    ret_messages->has_response = true;
    rp_err err = read_response(cli, &ret_messages->response, &diag);
    return rp_ok(err) ? RP_EXIT_OK : cli_fail(cli, err, cli->response, &diag);
}

/* ---- what goes out ---- */

/* JSON is UTF-8, and what strangers send is not: each byte that is none becomes U+FFFD; the Base64
 * beside it is exact. */
static void add_text(struct rp_arena *arena, struct rp_json *json, const char *name, rp_view text) {
    struct rp_buf clean = rp_buf_new(3 * text.n + 1);
    while (text.n > 0) {
        size_t good = rp_utf8_prefix(text);
        rp_buf_add(&clean, rp_view_sub(text, 0, good));
        if (good < text.n) {
            rp_buf_add_cstr(&clean, "\xef\xbf\xbd");
            good++;
        }
        text = rp_view_from(text, good);
    }
    rp_view copy = {NULL, 0};
    if (rp_ok(rp_buf_err(&clean)) && rp_ok(rp_arena_copy(arena, rp_buf_view(&clean), &copy))) {
        rp_json_add_string(arena, json, name, copy);
    }
    rp_buf_done(&clean);
}

static void add_base64(struct rp_arena *arena, struct rp_json *json, const char *name,
                       rp_view bytes) {
    struct rp_buf text = rp_buf_new(2 * bytes.n + 8);
    rp_view copy = {NULL, 0};
    rp_base64_print(&text, bytes);
    if (rp_ok(rp_buf_err(&text)) && rp_ok(rp_arena_copy(arena, rp_buf_view(&text), &copy))) {
        rp_json_add_string(arena, json, name, copy);
    }
    rp_buf_done(&text);
}

static void add_match(struct rp_arena *arena, struct rp_json *list,
                      const struct rp_waf_match *match) {
    struct rp_json *json = rp_json_add_object(arena, list, NULL);
    rp_json_add_u64(arena, json, "id", match->id);
    rp_json_add_u64(arena, json, "phase", match->phase);
    add_text(arena, json, "variable", match->variable);
    add_text(arena, json, "value", match->value);
    add_base64(arena, json, "value_base64", match->value);
    add_text(arena, json, "msg", match->message);
    add_text(arena, json, "logdata", match->log_data);
    struct rp_json *tags = rp_json_add_array(arena, json, "tags");
    for (size_t i = 0; i < match->tag_count; i++) {
        add_text(arena, tags, NULL, match->tags[i]);
    }
    if (match->severity < 8) {
        rp_json_add_u64(arena, json, "severity", match->severity);
    } else {
        rp_json_add_null(arena, json, "severity");
    }
    rp_json_add_bool(arena, json, "logged", match->logged);
}

struct tx_listing {
    struct rp_arena *arena;
    struct rp_json *json;
};

static void add_tx(void *ctx, rp_view name, rp_view value) {
    const struct tx_listing *listing = ctx;
    const char *key = rp_arena_cstr(listing->arena, name);
    if (key) {
        add_text(listing->arena, listing->json, key, value);
    }
}

static bool is_ours(const struct rp_waf_match *match) {
    return rp_view_equal(match->file, RP_VIEW(RP_WAF_SETUP_NAME));
}

static const char *action_name(enum rp_waf_action action) {
    switch (action) {
    case RP_WAF_DENY:
        return "deny";
    case RP_WAF_DROP:
        return "drop";
    case RP_WAF_REDIRECT:
        return "redirect";
    case RP_WAF_PASS:
        break;
    }
    return "pass";
}

static void print_json(struct cli *cli, struct rp_waf_tx *tx, unsigned status) {
    const struct rp_waf_verdict *verdict = rp_waf_tx_verdict(tx);
    struct rp_json *root = rp_json_object(cli->arena);
    size_t count = 0, dropped = 0;
    const struct rp_waf_match *matches = rp_waf_tx_matches(tx, &count, &dropped);
    rp_json_add_u64(cli->arena, root, "status", status);
    rp_json_add_bool(cli->arena, root, "intervention", verdict->action != RP_WAF_PASS);
    rp_json_add_cstr(cli->arena, root, "action", action_name(verdict->action));
    rp_json_add_bool(cli->arena, root, "would_block", verdict->would_block);
    rp_json_add_u64(cli->arena, root, "rule", verdict->rule);
    rp_json_add_bool(cli->arena, root, "over_budget", verdict->over_budget);
    rp_json_add_u64(cli->arena, root, "steps", verdict->steps);
    if (verdict->action == RP_WAF_REDIRECT) {
        add_text(cli->arena, root, "redirect", verdict->redirect);
    }
    struct rp_json *list = rp_json_add_array(cli->arena, root, "matched");
    for (size_t i = 0; i < count; i++) {
        if (!is_ours(&matches[i])) {
            add_match(cli->arena, list, &matches[i]);
        }
    }
    rp_json_add_u64(cli->arena, root, "matched_dropped", dropped);
    struct tx_listing listing = {cli->arena, rp_json_add_object(cli->arena, root, "tx")};
    rp_ignore(rp_waf_tx_each(tx, RP_VAR_TX, add_tx, &listing));
    cli_print_json(root);
}

static void print_text(const struct cli *cli, struct rp_waf_tx *tx, unsigned status) {
    const struct rp_waf_verdict *verdict = rp_waf_tx_verdict(tx);
    size_t count = 0;
    const struct rp_waf_match *matches = rp_waf_tx_matches(tx, &count, NULL);
    for (size_t i = 0; i < count; i++) {
        const struct rp_waf_match *match = &matches[i];
        if (match->logged && !is_ours(match)) {
            printf("%llu  %s %u  %.*s  %.*s%s %.*s\n", (unsigned long long)match->id,
                   cli_say(cli, "phase", "phase"), match->phase, RP_FMT(match->message),
                   RP_FMT(match->variable), cli_colon(cli),
                   RP_FMT(rp_view_sub(match->value, 0, 120)));
        }
    }
    if (verdict->action != RP_WAF_PASS) {
        printf("%s %u, %s %llu\n", cli_say(cli, "refusée :", "refused:"), status,
               cli_say(cli, "règle", "rule"), (unsigned long long)verdict->rule);
    } else {
        printf("%s\n", cli_say(cli, "passe", "passes"));
    }
}

/* A body over its limit is refused before the rules have seen all of it. */
static enum rp_exit tell_too_large(struct cli *cli) {
    enum { TOO_LARGE = 413 };
    fprintf(stderr, "rempart: %s\n",
            cli_say(cli, "requête au-delà des limites : 413", "request over the limits: 413"));
    if (cli->json) {
        struct rp_json *root = rp_json_object(cli->arena);
        rp_json_add_u64(cli->arena, root, "status", TOO_LARGE);
        rp_json_add_bool(cli->arena, root, "intervention", true);
        rp_json_add_cstr(cli->arena, root, "action", action_name(RP_WAF_DENY));
        rp_json_add_bool(cli->arena, root, "over_limit", true);
        (void)rp_json_add_array(cli->arena, root, "matched");
        (void)rp_json_add_object(cli->arena, root, "tx");
        cli_print_json(root);
    }
    return RP_EXIT_FINDING;
}

/* ---- exec ---- */

static unsigned status_of(const struct rp_waf_tx *tx, const struct messages *messages) {
    const struct rp_waf_verdict *verdict = rp_waf_tx_verdict(tx);
    if (verdict->action != RP_WAF_PASS) {
        return verdict->status;
    }
    return messages->has_response ? messages->response.status : 200;
}

static enum rp_exit judge_and_print(struct cli *cli, const struct waf_rules *rules,
                                    const struct messages *messages) {
    _cleanup_(rp_arena_freep) struct rp_arena *arena = rp_arena_new(TX_MAX);
    struct waf_memory *memory = arena ? waf_memory_new(cli->arena) : NULL;
    if (!memory) {
        return cli_fail(cli, RP_ERR(NO_MEMORY), cli->command, NULL);
    }
    const struct rp_waf_memory remembers = waf_memory_interface(memory);
    struct rp_waf_info info;
    rp_waf_info(rules->waf, &info);
    const struct rp_waf_site site = {.mode = info.mode,
                                     .clock = &rp_waf_clock,
                                     .over_budget_blocks = true,
                                     .memory = &remembers};
    struct rp_waf_tx *tx = NULL;
    rp_err err = waf_judge(rules->waf, &site, &messages->request,
                           messages->has_response ? &messages->response : NULL, arena, &tx);
    if (rp_is(err, RP_E_TOO_LARGE)) {
        return tell_too_large(cli);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->request, NULL);
    }
    unsigned status = status_of(tx, messages);
    if (cli->json) {
        print_json(cli, tx, status);
    } else {
        print_text(cli, tx, status);
    }
    bool refused = rp_waf_tx_verdict(tx)->action != RP_WAF_PASS;
    rp_waf_tx_done(tx);
    return refused ? RP_EXIT_FINDING : RP_EXIT_OK;
}

enum rp_exit waf_exec(struct cli *cli) {
    struct messages messages = {.has_response = false};
    struct waf_rules rules;
    if (cli->arg_count != 1 || !cli->request) {
        return cli_usage(cli, cli_say(cli, "exec --rules FICHIER… --request FICHIER",
                                      "exec --rules FILE… --request FILE"));
    }
    enum rp_exit code = read_messages(cli, &messages);
    if (code == RP_EXIT_OK) {
        code = waf_rules_open(cli, WAF_READY, &rules);
    }
    if (code != RP_EXIT_OK) {
        return code;
    }
    code = judge_and_print(cli, &rules, &messages);
    waf_rules_done(&rules);
    return code;
}

/* ---- bench ---- */

static double processor_s(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int by_size(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

enum { ROUNDS = 21, KEPT = 1 << 20 };

/* Microseconds of processor time a request, one round after another. */
static rp_err measure(const struct waf_rules *rules, const struct messages *messages,
                      struct rp_arena *arena, struct rp_waf_kept *kept, double seconds,
                      double ret_us[static ROUNDS]) {
    const struct rp_waf_site site = {.mode = RP_WAF_ON,
                                     .clock = &rp_waf_clock,
                                     .over_budget_blocks = true,
                                     .logged_only = true,
                                     .kept = kept};
    for (size_t round = 0; round < ROUNDS; round++) {
        double began = processor_s(), now = began;
        size_t times = 0;
        while (now - began < seconds / ROUNDS || times == 0) {
            struct rp_waf_tx *tx = NULL;
            rp_arena_reuse(arena, KEPT); /* as the gate does */
            RP_TRY(waf_judge(rules->waf, &site, &messages->request,
                             messages->has_response ? &messages->response : NULL, arena, &tx));
            rp_waf_tx_done(tx);
            times++;
            now = processor_s();
        }
        ret_us[round] = (now - began) * 1e6 / (double)times;
    }
    qsort(ret_us, ROUNDS, sizeof *ret_us, by_size);
    return RP_OK;
}

/* The middle of the rounds, and what lies between their tenths. */
static void print_times(struct cli *cli, const double us[static ROUNDS]) {
    double middle = us[ROUNDS / 2], low = us[ROUNDS / 10], high = us[ROUNDS - 1 - ROUNDS / 10];
    if (cli->json) {
        struct rp_json *root = rp_json_object(cli->arena);
        rp_json_add_u64(cli->arena, root, "ns", (uint64_t)(middle * 1e3));
        rp_json_add_u64(cli->arena, root, "ns_from", (uint64_t)(low * 1e3));
        rp_json_add_u64(cli->arena, root, "ns_to", (uint64_t)(high * 1e3));
        rp_json_add_u64(cli->arena, root, "rounds", ROUNDS);
        cli_print_json(root);
        return;
    }
    printf("%.1f µs %s (%s %.1f – %.1f, %d %s)\n", middle,
           cli_say(cli, "de processeur par requête", "of processor a request"),
           cli_say(cli, "de", "from"), low, high, ROUNDS, cli_say(cli, "séries", "rounds"));
}

enum rp_exit waf_bench(struct cli *cli) {
    struct messages messages = {.has_response = false};
    struct waf_rules rules;
    uint64_t seconds = 3;
    if (cli->arg_count != 1 || !cli->request ||
        (cli->seconds &&
         (!rp_view_to_u64(rp_view_from_cstr(cli->seconds), 600, &seconds) || seconds == 0))) {
        return cli_usage(cli, cli_say(cli, "bench --rules FICHIER… --request FICHIER [--seconds 3]",
                                      "bench --rules FILE… --request FILE [--seconds 3]"));
    }
    enum rp_exit code = read_messages(cli, &messages);
    if (code == RP_EXIT_OK) {
        code = waf_rules_open(cli, WAF_READY, &rules);
    }
    if (code != RP_EXIT_OK) {
        return code;
    }
    double us[ROUNDS] = {0};
    struct rp_arena *arena = rp_arena_new(TX_MAX);
    struct rp_waf_kept *kept = rp_waf_kept_new();
    rp_err err =
        arena ? measure(&rules, &messages, arena, kept, (double)seconds, us) : RP_ERR(NO_MEMORY);
    rp_arena_free(arena);
    rp_waf_kept_free(kept);
    waf_rules_done(&rules);
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->request, NULL);
    }
    print_times(cli, us);
    return RP_EXIT_OK;
}
