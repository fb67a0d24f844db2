/* check_events.c — the events that webhooks wait for: whether there are such, before somebody waits
 * for a call that never comes. A warning only: another release may know other events.
 */
#include "base/checked.h"
#include "cli.h"
#include "config/check.h"
#include "config/config.h"
#include "event/event.h"
#include "notify/hook.h"
#include "wire/yaml.h"

enum { EDITS_MAX = 2, NAME_MAX_BYTES = 64 };

static bool is_wanted_by(rp_view pattern) {
    for (int kind = 0; kind < RP_EVENT_COUNT; kind++) {
        if (rp_hook_wants(pattern, rp_view_from_cstr(rp_event_id((enum rp_event_kind)kind)))) {
            return true;
        }
    }
    return false;
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

static void warn(const struct cli *cli, const char *webhook, const struct rp_yaml *node) {
    char name[NAME_MAX_BYTES];
    rp_view near = nearest(node->scalar, name);
    printf(cli_say(cli,
                   "attention : webhooks, %s (ligne %u, colonne %u) : aucun événement ne répond "
                   "à « %.*s »",
                   "warning: webhooks, %s (line %u, column %u): no event matches \"%.*s\""),
           webhook, node->line, node->column, RP_FMT(node->scalar));
    if (near.p) {
        printf(cli_say(cli, " ; vouliez-vous dire « %.*s » ?", "; did you mean \"%.*s\"?"),
               RP_FMT(near));
    }
    putchar('\n');
}

void cli_check_events(const struct cli *cli, const struct rp_config *config) {
    for (size_t i = 0; i < config->webhook_count; i++) {
        const struct rp_yaml *list = config->webhooks[i].events_node;
        for (const struct rp_yaml *one = list ? list->first : NULL; one; one = one->next) {
            if (!is_wanted_by(one->scalar)) {
                warn(cli, config->webhooks[i].name, one);
            }
        }
    }
}
