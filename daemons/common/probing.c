#include "probing.h"

#include "base/assert.h"

rp_err probing_load(struct daemon *daemon, struct rp_promises *ret_promises) {
    rp_view folder = rp_arena_printf(daemon->arena, "%s/promises", daemon->share);
    struct rp_diag diag = {0};
    rp_err err = folder.p
                     ? rp_promises_load((const char *)folder.p, daemon->arena, ret_promises, &diag)
                     : RP_ERR(NO_MEMORY);
    return rp_ok(err) ? RP_OK : daemon_fail(daemon, err, "promises", &diag);
}

rp_err probing_run(struct daemon *daemon, const struct rp_promises *promises,
                   const struct rp_probe *probes, size_t count, void *ctx, atomic_bool *stopping) {
    RP_ASSERT(promises->count > 0 && count > 0);
    RP_TRY(daemon_enter(daemon));
    const struct rp_runner_options options = {.env = &daemon->env,
                                              .loop = daemon->loop,
                                              .role = daemon->role,
                                              .promises = promises,
                                              .probes = probes,
                                              .probe_count = count,
                                              .ctx = ctx,
                                              .stopping = stopping};
    struct rp_runner *runner = NULL;
    rp_err err = rp_runner_new(&options, &runner);
    if (!rp_ok(err)) {
        return daemon_fail(daemon, err, "runner", NULL);
    }
    err = daemon_run(daemon);
    rp_runner_free(runner);
    return err;
}
