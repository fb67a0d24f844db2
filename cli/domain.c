/* domain.c — rempart domain: names that pose as ours, asked one by one or out of a feed.
 *
 * A feed is the standard input: a name a line, or what monitors of Certificate Transparency print.
 * It may never end: what has come is handed over when five hundred names are there, or when nothing
 * more comes for two seconds. Core judges, so that the names of rempart.yaml count and what is
 * flagged goes on record.
 */
#include <errno.h>
#include <poll.h>
#include <unistd.h>

#include "base/checked.h"
#include "cli.h"
#include "lookalike/domain.h"
#include "lookalike/feed.h"

#define DOOR "/.rempart/api/v1/lookalikes"
enum {
    NAMES_AT_ONCE = 500,
    NAME_MAX_HERE = 4 * RP_DOMAIN_MAX, /* longer ones are no names, and not worth the way */
    QUESTION_BYTES = 1 << 20,
    READ_BYTES = 64 * 1024,
    PAUSE_MS = 2000,
    ARENA_BYTES = 8 << 20,
    TOLD_MAX = 10 /* lines that cannot be read */
};

struct looking {
    struct cli *cli;
    struct rp_arena *arena; /* of one delivery */
    struct rp_json *names;
    bool each; /* names were typed: the ones that are let pass are shown, too */
    uint64_t looked, flagged, no_names, line, unreadable;
};

static uint64_t number(const struct rp_json *json, const char *key) {
    uint64_t value = 0;
    (void)rp_json_get_u64(json, key, &value);
    return value;
}

/* ---- what core answers ---- */

/* "new, R34-12" */
static void print_record(const struct cli *cli, const struct rp_json *one) {
    rp_view what = rp_json_get_string(one, "what");
    const char *word = rp_view_equal(what, RP_VIEW("new"))     ? cli_say(cli, "nouveau", "new")
                       : rp_view_equal(what, RP_VIEW("again")) ? cli_say(cli, "revenu", "again")
                                                               : cli_say(cli, "connu", "known");
    if (what.n > 0) {
        printf(cli_say(cli, "  (%s : lookalikes %llu, %.*s)", "  (%s: lookalikes %llu, %.*s)"),
               word, (unsigned long long)number(one, "number"),
               RP_FMT(rp_json_get_string(one, "state")));
    }
}

static void print_flagged(const struct cli *cli, const struct rp_json *one) {
    rp_view name = rp_json_get_string(one, "name"), shown = rp_json_get_string(one, "shown");
    if (cli->json) {
        cli_print_json(one);
        return;
    }
    printf("%.*s", RP_FMT(name));
    if (!rp_view_equal(name, shown)) {
        printf(" (%.*s)", RP_FMT(shown));
    }
    printf(cli_say(cli, "  imite %.*s : %.*s", "  poses as %.*s: %.*s"),
           RP_FMT(rp_json_get_string(one, "own")), RP_FMT(rp_json_get_string(one, "reason")));
    print_record(cli, one);
    printf("\n");
}

/* The names of this delivery that core let pass. */
static void print_honest(const struct looking *looking, const struct rp_json *flagged) {
    for (const struct rp_json *name = looking->names->first; name; name = name->next) {
        struct rp_domain domain;
        bool found = !rp_ok(rp_domain_parse(name->string, &domain));
        for (const struct rp_json *one = flagged->first; one && !found; one = one->next) {
            found = rp_domain_within(rp_domain_from(&domain, 0), rp_json_get_string(one, "name"));
        }
        if (!found) {
            printf(cli_say(looking->cli, "%.*s  n’imite aucun des nôtres\n",
                           "%.*s  does not pose as one of ours\n"),
                   RP_FMT(name->string));
        }
    }
}

static rp_err take_answer(struct looking *looking, const struct rp_json *answer) {
    const struct rp_json *flagged = rp_json_get(answer, "flagged");
    if (!flagged || flagged->kind != RP_JSON_ARRAY) {
        return RP_ERR(PROTOCOL);
    }
    for (const struct rp_json *one = flagged->first; one; one = one->next) {
        print_flagged(looking->cli, one);
    }
    if (looking->each && !looking->cli->json) {
        print_honest(looking, flagged);
    }
    (void)fflush(stdout);
    looking->looked += number(answer, "looked");
    looking->no_names += number(answer, "no_names");
    looking->flagged += flagged->count;
    return RP_OK;
}

/* ---- handing over ---- */

static rp_err begin(struct looking *looking) {
    rp_arena_reset(looking->arena);
    looking->names = rp_json_array(looking->arena);
    return looking->names ? RP_OK : RP_ERR(NO_MEMORY);
}

/* Answers lie in the arena of the delivery: a feed without end needs no memory without end. */
static rp_err ask(const struct looking *looking, rp_view body, struct rp_json **ret_answer,
                  struct rp_diag *diag) {
    struct cli *cli = looking->cli;
    struct rp_arena *kept = cli->arena;
    cli->arena = looking->arena;
    rp_err err = cli_ask_core(cli, "POST", cli->dry_run ? DOOR "?dry_run=true" : DOOR, body,
                              ret_answer, diag);
    cli->arena = kept;
    return err;
}

static rp_err hand_over(struct looking *looking, struct rp_diag *diag) {
    if (looking->names->count == 0) {
        return RP_OK;
    }
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(QUESTION_BYTES);
    struct rp_json *answer = NULL, *body = rp_json_object(looking->arena);
    rp_json_add_cstr(looking->arena, body, "source", "rempart domain look");
    rp_json_add_bool(looking->arena, body, "typed", looking->each);
    rp_json_add(looking->arena, body, "names", looking->names);
    RP_TRY(rp_json_print(body, &text));
    RP_TRY(ask(looking, rp_buf_view(&text), &answer, diag));
    RP_TRY(take_answer(looking, answer));
    return begin(looking);
}

static rp_err add_name(struct looking *looking, rp_view name, struct rp_diag *diag) {
    if (name.n > NAME_MAX_HERE) {
        looking->looked++;
        looking->no_names++;
        return RP_OK;
    }
    rp_json_add_string(looking->arena, looking->names, NULL, name);
    return looking->names->count == NAMES_AT_ONCE ? hand_over(looking, diag) : RP_OK;
}

/* ---- the feed ---- */

/* A line that cannot be read is told and passed over: the feed goes on. */
static void tell_unreadable(struct looking *looking, rp_err err, const struct rp_diag *why) {
    if (looking->unreadable++ < TOLD_MAX) {
        const char *colon = cli_colon(looking->cli);
        (void)fprintf(stderr, "%s %llu%s %s%s%s%s\n", cli_say(looking->cli, "ligne", "line"),
                      (unsigned long long)looking->line, colon,
                      rp_err_text(err, looking->cli->lang), why->text[0] ? colon : "",
                      why->text[0] ? " " : "", why->text);
    }
}

static rp_err take_line(struct looking *looking, rp_view line, struct rp_diag *diag) {
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    const struct rp_json *names = NULL;
    struct rp_diag why = cli_diag(looking->cli);
    looking->line++;
    rp_err err = arena ? rp_feed_line(line, arena, &names, &why) : RP_ERR(NO_MEMORY);
    if (!rp_ok(err)) {
        tell_unreadable(looking, err, &why);
        return RP_OK;
    }
    for (const struct rp_json *one = names ? names->first : NULL; one; one = one->next) {
        RP_TRY(add_name(looking, one->string, diag));
    }
    return RP_OK;
}

/* Whole lines of what has come; at the end also the last one, which may lack its line feed. */
static rp_err take_lines(struct looking *looking, struct rp_buf *text, bool end,
                         struct rp_diag *diag) {
    rp_view rest = rp_buf_view(text);
    size_t used = 0;
    while (used < rest.n) {
        rp_view line = rp_view_from(rest, used);
        size_t n = rp_view_find_byte(line, '\n');
        if (n == line.n && !end) {
            break;
        }
        RP_TRY(take_line(looking, rp_view_sub(line, 0, n), diag));
        used += n < line.n ? n + 1 : n;
    }
    rp_buf_consume(text, used);
    return RP_OK;
}

/* 0 at the end of the feed. */
static rp_err read_more(struct looking *looking, struct rp_buf *text, size_t *ret_n,
                        struct rp_diag *diag) {
    struct pollfd waiting = {.fd = STDIN_FILENO, .events = POLLIN};
    int ready = poll(&waiting, 1, PAUSE_MS);
    if (ready == 0) {
        RP_TRY(hand_over(looking, diag));
    }
    uint8_t bytes[READ_BYTES / 8];
    ssize_t n;
    do {
        n = read(STDIN_FILENO, bytes, sizeof bytes);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        return rp_err_from_errno(errno);
    }
    rp_buf_add(text, rp_view_of(bytes, (size_t)n));
    *ret_n = (size_t)n;
    return rp_ok(rp_buf_err(text))
               ? RP_OK
               : rp_fail(diag, RP_ERR(TOO_LARGE), "%s %llu", cli_say(looking->cli, "ligne", "line"),
                         (unsigned long long)looking->line + 1);
}

static rp_err take_feed(struct looking *looking, struct rp_diag *diag) {
    _cleanup_(rp_buf_done) struct rp_buf text = rp_buf_new(RP_FEED_LINE_MAX);
    size_t n = 1;
    while (n > 0) {
        RP_TRY(read_more(looking, &text, &n, diag));
        RP_TRY(take_lines(looking, &text, n == 0, diag));
    }
    return RP_OK;
}

/* ---- the verbs ---- */

/* What was typed has to be names, all of them, before anything is asked. */
static rp_err take_words(struct looking *looking, struct rp_diag *diag) {
    const struct cli *cli = looking->cli;
    for (size_t i = 1; i < cli->arg_count; i++) {
        struct rp_domain domain;
        rp_err err = rp_domain_parse(rp_view_from_cstr(cli->args[i]), &domain);
        if (!rp_ok(err)) {
            return rp_fail(diag, err, "%s%s %s", cli->args[i], cli_colon(cli),
                           cli_say(cli, "ce n’est pas un nom de domaine, comme example.com",
                                   "not a domain name, such as example.com"));
        }
        RP_TRY(add_name(looking, rp_view_from_cstr(cli->args[i]), diag));
    }
    return RP_OK;
}

static void print_summary(const struct looking *looking) {
    if (looking->cli->json || looking->each) {
        return;
    }
    printf(cli_say(looking->cli,
                   "%llu noms regardés, %llu signalés, %llu qui n’en sont pas, %llu lignes "
                   "illisibles\n",
                   "%llu names looked at, %llu flagged, %llu that are no names, %llu lines that "
                   "cannot be read\n"),
           (unsigned long long)looking->looked, (unsigned long long)looking->flagged,
           (unsigned long long)looking->no_names, (unsigned long long)looking->unreadable);
}

static enum rp_exit look(struct cli *cli, struct rp_arena *arena) {
    bool feed = cli->arg_count == 2 && strcmp(cli->args[1], "-") == 0;
    struct looking looking = {.cli = cli, .arena = arena, .each = !feed};
    struct rp_diag diag = cli_diag(cli);
    rp_err err = cli_enter_state(cli);
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->state, NULL);
    }
    err = begin(&looking);
    if (rp_ok(err)) {
        err = feed ? take_feed(&looking, &diag) : take_words(&looking, &diag);
    }
    if (rp_ok(err)) {
        err = hand_over(&looking, &diag);
    }
    if (!rp_ok(err)) {
        return cli_fail(cli, err, cli->command, &diag);
    }
    print_summary(&looking);
    return looking.flagged > 0      ? RP_EXIT_FINDING
           : looking.unreadable > 0 ? RP_EXIT_USAGE
                                    : RP_EXIT_OK;
}

static void print_names(const struct rp_json *names, const char *title, const char *when_none) {
    printf("%s\n", title);
    for (const struct rp_json *one = names ? names->first : NULL; one; one = one->next) {
        printf("  %.*s\n", RP_FMT(one->string));
    }
    if (!names || names->count == 0) {
        printf("  %s\n", when_none);
    }
}

static enum rp_exit list(struct cli *cli) {
    struct rp_json *answer = NULL;
    enum rp_exit code = cli_ask(cli, "GET", DOOR, NULL, &answer);
    if (code != RP_EXIT_OK) {
        return code;
    }
    if (cli->json) {
        cli_print_json(answer);
        return code;
    }
    print_names(
        rp_json_get(answer, "watched"), cli_say(cli, "surveillés :", "watched:"),
        cli_say(cli, "aucun nom : watch.domains les donne", "no name: give some in watch.domains"));
    print_names(rp_json_get(answer, "honest"), cli_say(cli, "honnêtes :", "honest:"),
                cli_say(cli, "aucun de plus", "none besides"));
    const struct rp_json *feed = rp_json_get(answer, "feed");
    rp_view at = rp_json_get_string(feed, "at");
    if (at.n == 0) {
        printf("%s\n", cli_say(cli, "flux : aucun nom livré (docs/operations/lookalikes.md)",
                               "feed: no name delivered (docs/operations/lookalikes.md)"));
        return code;
    }
    printf(cli_say(cli, "flux : dernière livraison le %.*s ; %llu noms en tout, %llu signalés\n",
                   "feed: last delivery %.*s; %llu names in all, %llu flagged\n"),
           RP_FMT(at), (unsigned long long)number(feed, "names"),
           (unsigned long long)number(feed, "flagged"));
    return code;
}

enum rp_exit cli_domain(struct cli *cli) {
    const char *verb = cli->arg_count > 0 ? cli->args[0] : "";
    if (strcmp(verb, "list") == 0 && cli->arg_count == 1) {
        return list(cli);
    }
    if (strcmp(verb, "look") != 0 || cli->arg_count < 2) {
        return cli_usage(
            cli, cli_say(cli, "look NOM…, look - ou list ?", "look NAME…, look - or list?"));
    }
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    return arena ? look(cli, arena) : cli_fail(cli, RP_ERR(NO_MEMORY), cli->command, NULL);
}
