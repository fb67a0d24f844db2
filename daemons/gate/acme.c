#include "acme.h"

#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"
#include "crypto/x509_request.h"
#include "os/file.h"

enum { PEM_MAX = 65536, PATH_BYTES = 400, ROOM = 16 * PEM_MAX };

static const char *path_of(char out[static PATH_BYTES], const char *folder, const char *name,
                           const char *ending) {
    int n = snprintf(out, PATH_BYTES, "%s/%s%s", folder, name, ending);
    RP_ASSERT(n > 0 && n < PATH_BYTES);
    return out;
}

static void wipe_done(struct rp_buf *buf) {
    if (buf->n > 0) {
        rp_wipe(buf->p, buf->n);
    }
    rp_buf_done(buf);
}

/* The key before the request: a request without its key would be an errand in vain. */
static rp_err make_request(const char *name) {
    char path[PATH_BYTES];
    _cleanup_(rp_buf_done) struct rp_buf request = rp_buf_new(PEM_MAX);
    _cleanup_(wipe_done) struct rp_buf key = rp_buf_new(PEM_MAX);
    RP_TRY(rp_x509_make_request(name, &request, &key));
    RP_TRY(rp_file_remove(path_of(path, "gate/acme", name, ".csr")));
    RP_TRY(rp_file_replace(path_of(path, "gate/tls/acme", name, ".next"), 0600, rp_buf_view(&key)));
    return rp_file_replace(path_of(path, "gate/acme", name, ".csr"), 0644, rp_buf_view(&request));
}

static bool has_request(const char *name) {
    char key[PATH_BYTES], request[PATH_BYTES];
    return rp_file_exists(path_of(key, "gate/tls/acme", name, ".next")) &&
           rp_file_exists(path_of(request, "gate/acme", name, ".csr"));
}

/* Chain and key in one file: whoever reads it has both or neither. */
static rp_err put(const char *name, rp_view chain, rp_view key) {
    char path[PATH_BYTES];
    _cleanup_(wipe_done) struct rp_buf both = rp_buf_new(2 * PEM_MAX);
    rp_buf_add(&both, chain);
    rp_buf_add(&both, key);
    RP_TRY(rp_buf_err(&both));
    RP_TRY(rp_file_replace(path_of(path, "gate/tls/acme", name, ".pem"), 0600, rp_buf_view(&both)));
    RP_TRY(rp_file_replace(path_of(path, "gate/acme", name, ".pem"), 0644, chain));
    return rp_file_remove(path_of(path, "gate/tls/acme", name, ".next"));
}

/* NOT_FOUND: nothing new. */
static rp_err take_over(const struct daemon *daemon, struct rp_arena *arena, const char *name,
                        struct rp_diag *diag) {
    char path[PATH_BYTES];
    rp_view answer, key, served = RP_VIEW("");
    _cleanup_(rp_buf_done) struct rp_buf chain = rp_buf_new(PEM_MAX);
    RP_TRY(rp_file_read(path_of(path, "acme/live", name, ".pem"), PEM_MAX, arena, &answer));
    rp_ignore(rp_file_read(path_of(path, "gate/acme", name, ".pem"), PEM_MAX, arena,
                           &served)); /* none yet */
    if (rp_view_equal(answer, served)) {
        return RP_ERR(NOT_FOUND);
    }
    RP_TRY(rp_file_read(path_of(path, "gate/tls/acme", name, ".next"), PEM_MAX, arena, &key));
    const struct rp_x509_wanted wanted = {name, key, rp_env_now_s(&daemon->env)};
    rp_err err = rp_x509_take(&wanted, answer, &chain, diag);
    if (rp_ok(err)) {
        err = put(name, rp_buf_view(&chain), key);
    }
    rp_wipe((void *)(uintptr_t)key.p, key.n);
    return err;
}

static rp_err prepare_name(const struct daemon *daemon, struct rp_arena *arena, const char *name) {
    struct rp_diag diag = {0};
    rp_arena_reset(arena);
    rp_err err = take_over(daemon, arena, name, &diag);
    if (rp_ok(err)) {
        daemon_say(daemon, "%s: a new certificate", name);
    } else if (!rp_is(err, RP_E_NOT_FOUND)) {
        daemon_say(daemon, "acme/live/%s.pem is not used: %s", name,
                   diag.text[0] ? diag.text : rp_err_text(err, RP_EN));
    }
    return has_request(name) ? RP_OK : make_request(name);
}

rp_err gate_acme_prepare(const struct daemon *daemon, struct rp_config_list *ret_certified) {
    const char *names[RP_CONFIG_NAMES_MAX];
    size_t count = rp_config_acme_names(&daemon->config, names), certified = 0;
    const char **found = rp_arena_array(daemon->arena, RP_CONFIG_NAMES_MAX, sizeof *found);
    if (!found) {
        return RP_ERR(NO_MEMORY);
    }
    *ret_certified = (struct rp_config_list){found, 0};
    if (count == 0) {
        return RP_OK;
    }
    RP_TRY(rp_folder_make("gate/acme", 0755));
    RP_TRY(rp_folder_make("gate/tls/acme", 0700));
    RP_TRY(rp_folder_make("acme/challenges", 0755));
    struct rp_arena *arena = rp_arena_new(ROOM);
    rp_err err = arena ? RP_OK : RP_ERR(NO_MEMORY);
    for (size_t i = 0; i < count && rp_ok(err); i++) {
        char path[PATH_BYTES];
        err = prepare_name(daemon, arena, names[i]);
        if (rp_file_exists(path_of(path, "gate/tls/acme", names[i], ".pem"))) {
            found[certified++] = names[i];
        }
    }
    rp_arena_free(arena);
    *ret_certified = (struct rp_config_list){found, certified};
    return err;
}
