/* programs.c — is each program that runs among those that an approved change lists?
 *
 * The supervisor says what runs, by digest (daemons/rempartd/programs.c); the register of changes
 * is read as it lies, without any key. Programs of the installation's other machines are not seen.
 */
#include "base/checked.h"
#include "hunt.h"
#include "os/file.h"
#include "register/deploy.h"
#include "wire/json.h"

enum { STATUS_FILE_MAX = 256 * 1024, ARENA_BYTES = 8 * 1024 * 1024 };

struct approval {
    struct rp_asking asking;
    const struct rp_expr *stands;
    bool approved, any; /* this digest; any digest at all */
};

static rp_err look_at_change(void *ctx, const struct rp_facts *change) {
    struct approval *approval = ctx;
    bool stands = false;
    if (change->example) {
        return RP_OK; /* the company that teaches approves nothing here */
    }
    RP_TRY(rp_expr_true(approval->stands, change, &approval->asking, &stands));
    approval->approved = approval->approved || stands;
    const struct rp_json *list = rp_json_get(change->open, "artefacts");
    approval->any = approval->any || (stands && list && list->count > 0);
    return RP_OK;
}

/* Changes whose artefacts have this digest; NULL: all changes. */
static rp_err look_for(struct rp_desk *desk, struct approval *approval, const char *key) {
    const struct rp_register *changes = rp_register_find(desk->registers, RP_VIEW("changes"));
    approval->approved = false;
    return approval->asking.each(desk, changes, key, key ? RP_VIEW("true") : (rp_view){NULL, 0},
                                 look_at_change, approval);
}

static rp_err start(const struct hunt *hunt, struct rp_desk *desk, struct approval *approval) {
    const struct rp_register *changes = rp_register_find(desk->registers, RP_VIEW("changes"));
    struct rp_expr *expr = NULL;
    RP_TRY(changes ? RP_OK : RP_ERR(NOT_FOUND));
    RP_TRY(rp_inspect_system(hunt->config->store, &desk->db));
    RP_TRY(rp_expr_parse(RP_VIEW(RP_CHANGE_STANDS), desk->arena, &expr, NULL));
    RP_TRY(rp_expr_check(expr, changes, desk->registers, NULL));
    approval->stands = expr;
    approval->asking = rp_desk_asking(desk);
    return RP_OK;
}

/* What runs without approval; one whose digest nobody knows leaves the whole unsure. */
struct count {
    size_t programs, unapproved;
    rp_view first, unknown;
};

static rp_err judge(struct rp_desk *desk, struct approval *approval, const struct rp_json *program,
                    struct count *count) {
    rp_view hex = rp_json_get_string(program, "sha256");
    const char *key = rp_artefact_key(desk->arena, hex);
    RP_TRY(key ? RP_OK : RP_ERR(NO_MEMORY));
    count->programs++;
    if (hex.n == 0) {
        count->unknown = rp_json_get_string(program, "name");
        return RP_OK;
    }
    RP_TRY(look_for(desk, approval, key));
    if (!approval->approved) {
        count->first = count->unapproved ? count->first : rp_json_get_string(program, "name");
        count->unapproved++;
    }
    return RP_OK;
}

static rp_err judge_all(struct rp_desk *desk, struct approval *approval, struct count *count) {
    struct rp_json *status = NULL;
    rp_view text = {NULL, 0};
    RP_TRY(rp_file_read("run/status.json", STATUS_FILE_MAX, desk->arena, &text));
    RP_TRY(rp_json_parse(text, RP_JSON_LIMITS, desk->arena, &status, NULL));
    const struct rp_json *programs = rp_json_get(status, "programs");
    for (const struct rp_json *one = programs ? programs->first : NULL; one; one = one->next) {
        RP_TRY(judge(desk, approval, one, count));
    }
    return count->unapproved > 0 && !approval->any ? look_for(desk, approval, NULL) : RP_OK;
}

static void conclude(const struct approval *approval, const struct count *count,
                     struct rp_observation *seen) {
    if (count->unknown.n > 0) {
        rp_probe_unsure(seen, "the digest of %.*s is not known", RP_FMT(count->unknown));
    } else if (count->programs == 0) {
        rp_probe_unsure(seen, "the digests of what runs are not known");
    } else if (count->unapproved > 0 && !approval->any) {
        rp_probe_not_met(seen,
                         "%zu programs run, and no approved change lists what goes to production: "
                         "rempart change propose, then somebody else's signature",
                         count->programs);
    } else if (count->unapproved > 0) {
        rp_probe_broken(seen, "%zu of %zu programs run without an approved change, first %.*s",
                        count->unapproved, count->programs, RP_FMT(count->first));
    } else {
        rp_probe_holds(seen, "%zu programs run, each approved by its digest", count->programs);
    }
}

/*= S62: what runs is what was approved */
void hunt_running_approved(void *ctx, struct rp_observation *seen) {
    const struct hunt *hunt = ctx;
    struct rp_arena *arena _cleanup_(rp_arena_freep) = rp_arena_new(ARENA_BYTES);
    struct rp_desk desk = {.env = &hunt->env, .registers = hunt->registers, .arena = arena};
    struct approval approval = {.any = false};
    struct count count = {.programs = 0};
    rp_err err = arena ? start(hunt, &desk, &approval) : RP_ERR(NO_MEMORY);
    if (rp_ok(err)) {
        err = judge_all(&desk, &approval, &count);
    }
    rp_inspect_close(desk.db);
    if (rp_ok(err)) {
        conclude(&approval, &count, seen);
    } else {
        rp_probe_unsure(seen, "what runs cannot be compared with the changes: %s",
                        rp_err_text(err, RP_EN));
    }
}
