/* cli.h — rempart(1): one program, a table of commands, the same habits everywhere.
 *
 * Exit codes: 0 all is well, 1 something was found, 2 wrong usage or configuration, 3 the
 * installation does not answer. Listing commands take --json. Texts follow LANG: fr or en.
 */
#ifndef RP_CLI_CLI_H
#define RP_CLI_CLI_H

#include <stdio.h>

#include "base/arena.h"
#include "base/buf.h"
#include "wire/json.h"

enum rp_exit { RP_EXIT_OK = 0, RP_EXIT_FINDING = 1, RP_EXIT_USAGE = 2, RP_EXIT_UNREACHABLE = 3 };

enum { RP_ARGS_MAX = 16, RP_VALUES_MAX = 512 };

/* --rules A B C, also given more than once: every value up to the next option. */
struct cli_values {
    const char *p[RP_VALUES_MAX];
    size_t count;
};

/* What was asked, taken apart once. */
struct cli {
    enum rp_lang lang;
    struct rp_arena *arena;
    const char *program; /* argv[0], to find the other programs */
    const char *command; /* "promises" */
    const char *args[RP_ARGS_MAX];
    size_t arg_count;
    struct cli_values options;   /* which were given: "--json", "--days=3" */
    bool dry_run;                /* --dry-run: say what would be done */
    const char *state;           /* --state, REMPART_STATE, ./var, /var/lib/rempart */
    const char *config;          /* --config, or NULL */
    const char *upstream;        /* --upstream */
    const char *listen;          /* --listen */
    const char *key;             /* --key: a verifier key */
    const char *entry;           /* --entry: the bytes a proof is about */
    const char *tenant;          /* --tenant */
    const char *role;            /* --role */
    const char *record;          /* --record */
    const char *scopes;          /* --scopes */
    const char *days;            /* --days */
    const char *confirm;         /* --confirm: a name, typed once more */
    const char *ca;              /* --ca: the authority behind an https address, PEM */
    const char *passphrase_file; /* --passphrase-file */
    const char *reason;          /* --reason */
    const char *minutes;         /* --minutes */
    const char *path;            /* --path */
    const char *method;          /* --method */
    const char *header;          /* --header: "Name: text" */
    const char *file;            /* --file; "-" is the standard input */
    struct cli_values rules;     /* --rules: rule files, patterns, folders */
    struct cli_values witnesses; /* --witness: verifier keys */
    struct cli_values tests;     /* --tests */
    const char *image;           /* --image: compiled rules */
    const char *output;          /* --output, -o */
    const char *request;         /* --request */
    const char *response;        /* --response */
    const char *seconds;         /* --seconds */
    const char *url;             /* --url: of a server under test */
    const char *log;             /* --log: its error log */
    const char *app;             /* --app */
    const char *by;              /* --by: the order of a list */
    const char *since;           /* --since: "7d" */
    const char *lines;           /* --lines, -n */
    const char *wait;            /* --wait: seconds */
    const char *quiet, *digest;  /* --quiet, --digest: times, none or default */
    bool json, summary, sample, renew;
    bool skip_bad;                  /* --skip-bad: refused lines are left out */
    const char *shares, *threshold; /* keys split */
    bool force_older, keep_ledger;  /* backup restore */
    const char *from, *to;          /* store copy: URLs */
};

struct cli_command {
    const char *name;
    const char *usage;
    const char *about[RP_LANG_COUNT];
    const char *examples;
    enum rp_exit (*run)(struct cli *cli);
};

/* The table of all commands, in main.c. */
const struct cli_command *cli_commands(size_t *ret_count);
/* NULL when there is none. */
const struct cli_command *cli_command_named(const char *name);
bool cli_is_option(const char *arg);
/* Takes argument *i, and its values; false when it is no option of ours, or has none. */
bool cli_take_option(struct cli *cli, int argc, char **argv, int *i);

/* Prints what and why to stderr, in the reader's language, and returns the exit code. */
enum rp_exit cli_fail(const struct cli *cli, rp_err err, const char *what,
                      const struct rp_diag *diag);
enum rp_exit cli_usage(const struct cli *cli, const char *problem);

/* A command's usage, a clause a line, the first one behind `before`; where verb (may be NULL) is
 * one of its words, what has it alone. The same of its examples. */
void cli_usage_print(const struct cli *cli, FILE *to, const char *before,
                     const struct cli_command *command, const char *verb);
void cli_examples_print(FILE *to, const struct cli_command *command, const char *verb);

/* The help of all, and of the command whose words cli has. */
void cli_help(const struct cli *cli, FILE *to);
void cli_help_command(const struct cli *cli, const struct cli_command *command, FILE *to);
/* Says that nobody knows what was typed, and which one may have been meant. */
enum rp_exit cli_unknown_command(const struct cli *cli);
enum rp_exit cli_unknown_option(const struct cli *cli, const struct cli_command *command,
                                const char *option);
enum rp_exit cli_unknown_word(const struct cli *cli, const struct cli_command *command,
                              const char *word);
/* As cli_usage, where what follows a command's word is not what the usage says. */
enum rp_exit cli_usage_words(const struct cli *cli);

/* The next word of a usage; empty at its end. */
rp_view cli_usage_word(rp_view *rest);
/* Whether the usage names this option, "--name" or "--name=value"; verb is the first argument, or
 * NULL. */
bool cli_usage_takes(const struct cli_command *command, const char *verb, const char *argument);
/* Whether anything but options may follow the command's name. */
bool cli_usage_has_words(const struct cli_command *command);
/* Whether a word of the command's own has to follow its name, and whether this is one. */
bool cli_usage_has_verbs(const struct cli_command *command);
bool cli_usage_has_verb(const struct cli_command *command, const char *word);
/* Small letters, digits, "-". */
bool cli_usage_is_word(rp_view word);
const char *cli_say(const struct cli *cli, const char *fr, const char *en)
    __attribute__((format_arg(2), format_arg(3)));
/* Where an error says more, in the language. */
struct rp_diag cli_diag(const struct cli *cli);
/* The word for so many of them: one in English for 1 alone, in French for 0 too. */
const char *cli_plural(const struct cli *cli, uint64_t n, const char *one, const char *several);
/* "12.3", in French "12,3". */
struct cli_decimal {
    char s[48];
};
struct cli_decimal cli_tenths(const struct cli *cli, double number);
/* A colon as the language sets it; French has U+00A0 before. */
const char *cli_colon(const struct cli *cli);

/* Enters the state folder: every path after this is relative to it. */
rp_err cli_enter_state(const struct cli *cli);
/* The folder that this program stands in, and the one with promises/ and pages. */
const char *cli_bin_folder(struct cli *cli);
const char *cli_share_folder(struct cli *cli);

/* One request to core over run/cli.sock; the answer's JSON. UNREACHABLE when nobody listens. An
 * error status becomes an error, its text in diag. */
rp_err cli_ask_core(struct cli *cli, const char *method, const char *path, rp_view body,
                    struct rp_json **ret_json, struct rp_diag *diag);

/* The same from where the command was typed: enters the state folder, tells stderr what failed.
 * body may be NULL. */
enum rp_exit cli_ask(struct cli *cli, const char *method, const char *path,
                     const struct rp_json *body, struct rp_json **ret_answer);

/* POST with a body of another type. */
rp_err cli_post_core(struct cli *cli, const char *path, const char *type, rp_view body,
                     struct rp_json **ret_json, struct rp_diag *diag);
/* POST with an open file as its body, of any size, from its start. */
rp_err cli_upload_core(struct cli *cli, const char *path, const char *type, int file,
                       struct rp_json **ret_json, struct rp_diag *diag);
/* The same for an answer that is no JSON: its heads and its body. text is the caller's to free,
 * also after a failure. */
struct cli_answer {
    struct rp_buf text;
    rp_view heads, body;
};
/* The body goes to fd as it comes; the heads, in the arena. On an error what came is still there.
 */
rp_err cli_fetch_core_to(struct cli *cli, const char *path, int fd, rp_view *ret_heads,
                         struct rp_diag *diag);
/* What follows the name, "Rempart-Next: "; p == NULL when absent. */
rp_view cli_answer_head(const struct cli_answer *answer, const char *name);

/* A path that was typed, made absolute before the state folder is entered; NULL stays NULL. One
 * that does not exist stays as it is. */
/* BUSY while Rempart runs on the state folder (stopped.c). */
rp_err cli_check_stopped(const struct cli *cli, const char *state, struct rp_diag *diag);
void cli_make_absolute(struct cli *cli, const char **path);
/* A line from the terminal without showing it; from a pipe as it is. Its length. */
size_t cli_read_hidden(const char *prompt, char *out, size_t max);

/* Canonical JSON and a newline on stdout. */
void cli_print_json(const struct rp_json *json);
/* What an import did: core's report as --json, or by print. A line that was refused is a finding.
 */
enum rp_exit cli_tell_import(const struct cli *cli, const struct rp_json *report,
                             void (*print)(const struct cli *cli, const struct rp_json *report));

enum rp_exit cli_up(struct cli *cli);
enum rp_exit cli_check(struct cli *cli);
struct rp_config;
/* Warns of each file that the configuration names, and of a socket of PostgreSQL, not there. */
void cli_check_files(const struct cli *cli, const struct rp_config *config);
/* Warns of each pattern of a webhook that no event of this release matches. */
void cli_check_events(const struct cli *cli, const struct rp_config *config);
enum rp_exit cli_status(struct cli *cli);
enum rp_exit cli_promises(struct cli *cli);
enum rp_exit cli_verify(struct cli *cli);
/* Whether those whom --witness names cosigned the public tree of the folder: told line by line, or
 * into the list. *ret_all: each of them did. */
rp_err cli_verify_witnesses(struct cli *cli, const char *folder, struct rp_json *list,
                            bool *ret_all);
enum rp_exit cli_keys(struct cli *cli);
enum rp_exit cli_tenant(struct cli *cli);
enum rp_exit cli_app(struct cli *cli);
enum rp_exit cli_tenant_export(struct cli *cli, const char *tenant, const char *file);
enum rp_exit cli_tenant_import(struct cli *cli, const char *tenant, const char *file);
enum rp_exit cli_person(struct cli *cli);
enum rp_exit cli_person_import(struct cli *cli, const char *file);
/* The same with a body of any size below 16 MiB, as text/plain. */
rp_err cli_send_core(struct cli *cli, const char *path, rp_view body, struct rp_json **ret_json,
                     struct rp_diag *diag);

enum rp_exit cli_link(struct cli *cli);
/* Beside the roles of `rempart status`; false when a machine that roles here ask does not answer.
 */
bool cli_print_links(struct cli *cli, struct rp_json *status);
/* Whether the running installation has the role on another machine, and which. In the state folder.
 */
bool cli_runs_elsewhere(const struct cli *cli, const char *role, rp_view *ret_machine);
enum rp_exit cli_gate(struct cli *cli);
enum rp_exit cli_role(struct cli *cli);
enum rp_exit cli_notify(struct cli *cli);
enum rp_exit cli_ledger(struct cli *cli);
enum rp_exit cli_register(struct cli *cli);
enum rp_exit cli_change(struct cli *cli);
enum rp_exit cli_domain(struct cli *cli);
enum rp_exit cli_backup(struct cli *cli);
enum rp_exit cli_store(struct cli *cli);
enum rp_exit cli_waf(struct cli *cli);
enum rp_exit cli_reload(struct cli *cli);
enum rp_exit cli_witness(struct cli *cli);
enum rp_exit cli_completion(struct cli *cli);

#endif
