/* check_events.c — the events that webhooks wait for: whether there are such in the operator's log,
 * before somebody waits for a call that never comes. A warning only: another release may know other
 * events.
 */
#include "base/checked.h"
#include "cli.h"
#include "config/check.h"
#include "config/config.h"
#include "event/event.h"
#include "notify/hook.h"
#include "wire/yaml.h"

enum { EDITS_MAX = 2, NAME_MAX_BYTES = 64 };

enum answers { NO_EVENT, TENANTS_ONLY, OPERATORS };

static enum answers answers(rp_view pattern) {
    enum answers found = NO_EVENT;
    for (int i = 0; i < RP_EVENT_COUNT; i++) {
        enum rp_event_kind kind = (enum rp_event_kind)i;
        if (rp_hook_wants(pattern, rp_view_from_cstr(rp_event_id(kind)))) {
            found = RP_MAX(found, rp_event_is_tenants(kind) ? TENANTS_ONLY : OPERATORS);
        }
    }
    return found;
}

/* What a pattern of this shape could have meant of an event: all of it, or "certificate.*". */
static rp_view alike(rp_view pattern, const char *id, char out[static NAME_MAX_BYTES]) {
    rp_view text = rp_view_from_cstr(id);
    size_t dot = rp_view_find_byte(text, '.');
    if (!rp_view_ends(pattern, RP_VIEW("*")) || dot + 3 > NAME_MAX_BYTES) {
        return text;
    }
    int n = snprintf(out, NAME_MAX_BYTES, "%.*s.*", (int)dot, id);
    return rp_view_of(out, (size_t)n);
}

/* The nearest name, p == NULL when none is near. */
static rp_view nearest(rp_view pattern, char out[static NAME_MAX_BYTES]) {
    unsigned least = EDITS_MAX + 1;
    rp_view found = {NULL, 0};
    for (int kind = 0; kind < RP_EVENT_COUNT; kind++) {
        char name[NAME_MAX_BYTES];
        rp_view one = alike(pattern, rp_event_id((enum rp_event_kind)kind), name);
        unsigned edits = rp_config_edits(pattern, one);
        if (edits < least && one.n < NAME_MAX_BYTES) {
            least = edits;
            memcpy(out, one.p, one.n);
            found = rp_view_of(out, one.n);
        }
    }
    return found;
}

/* "warning: webhooks, ops (line 6, column 28): " */
static void place(const struct cli *cli, const char *webhook, const struct rp_yaml *node) {
    printf(cli_say(cli, "attention : webhooks, %s (ligne %u, colonne %u) : ",
                   "warning: webhooks, %s (line %u, column %u): "),
           webhook, node->line, node->column);
}

static void warn_of_none(const struct cli *cli, rp_view pattern) {
    char name[NAME_MAX_BYTES];
    rp_view near = nearest(pattern, name);
    printf(cli_say(cli, "aucun événement ne répond à « %.*s »", "no event matches \"%.*s\""),
           RP_FMT(pattern));
    if (near.p) {
        printf(cli_say(cli, " ; vouliez-vous dire « %.*s » ?", "; did you mean \"%.*s\"?"),
               RP_FMT(near));
    }
    putchar('\n');
}

static void warn_of_tenants(const struct cli *cli, rp_view pattern) {
    printf(cli_say(cli,
                   "« %.*s » n’a lieu que dans les journaux des organisations, que les webhooks ne "
                   "lisent pas\n",
                   "\"%.*s\" happens only in the organisations' own logs, which webhooks do not "
                   "read\n"),
           RP_FMT(pattern));
}

void cli_check_events(const struct cli *cli, const struct rp_config *config) {
    for (size_t i = 0; i < config->webhook_count; i++) {
        const struct rp_yaml *list = config->webhooks[i].events_node;
        for (const struct rp_yaml *one = list ? list->first : NULL; one; one = one->next) {
            enum answers found = answers(one->scalar);
            if (found == OPERATORS) {
                continue;
            }
            place(cli, config->webhooks[i].name, one);
            (found == NO_EVENT ? warn_of_none : warn_of_tenants)(cli, one->scalar);
        }
    }
}
