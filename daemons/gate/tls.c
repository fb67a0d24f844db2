#include "tls.h"

#include "base/assert.h"
#include "crypto/x509.h"
#include "os/file.h"

enum {
    CA_DAYS = 3650,
    LEAF_DAYS = 397, /* browsers refuse leaves that live longer */
    RENEW_DAYS = 60,
    PEM_MAX = 65536,
    NAMES_MAX = RP_APPS_MAX + 4,
    DAY_S = 24 * 3600
};

static const char ca_cert[] = "gate/tls/ca.pem", ca_key[] = "gate/tls/ca.key";
static const char leaf_cert[] = "gate/tls/leaf.pem", leaf_key[] = "gate/tls/leaf.key";
static const char client_canary[] = "gate/tls/client-canary.pem";
static const char leaf_names[] = "gate/tls/names";

static void wipe_done(struct rp_buf *buf) {
    if (buf->n > 0) {
        rp_wipe(buf->p, buf->n);
    }
    rp_buf_done(buf);
}

/* The key before the certificate: a start that ends between the two begins again. */
static rp_err write_pair(const char *cert_path, const char *key_path, const struct rp_buf *cert,
                         const struct rp_buf *key) {
    RP_TRY(rp_file_replace(key_path, 0600, rp_buf_view(key)));
    return rp_file_replace(cert_path, 0644, rp_buf_view(cert));
}

static rp_err make_ca(const struct rp_env *env) {
    struct rp_buf cert = rp_buf_new(PEM_MAX), key = rp_buf_new(PEM_MAX);
    rp_err err = rp_x509_make_ca(env, "Rempart local authority", CA_DAYS, &cert, &key);
    if (rp_ok(err)) {
        err = write_pair(ca_cert, ca_key, &cert, &key);
    }
    wipe_done(&key);
    rp_buf_done(&cert);
    return err;
}

/* An authority whose key is thrown away at once: it will never vouch for anybody. */
static rp_err make_client_canary(const struct rp_env *env) {
    struct rp_buf cert = rp_buf_new(PEM_MAX), key = rp_buf_new(PEM_MAX);
    rp_err err = rp_x509_make_ca(env, "Rempart client canary", CA_DAYS, &cert, &key);
    if (rp_ok(err)) {
        err = rp_file_replace(client_canary, 0644, rp_buf_view(&cert));
    }
    wipe_done(&key);
    rp_buf_done(&cert);
    return err;
}

static rp_err make_leaf(const struct rp_env *env, struct rp_arena *arena, const char *const *names,
                        size_t count) {
    rp_view authority, authority_key;
    RP_TRY(rp_file_read(ca_cert, PEM_MAX, arena, &authority));
    RP_TRY(rp_file_read(ca_key, PEM_MAX, arena, &authority_key));
    struct rp_buf cert = rp_buf_new(PEM_MAX), key = rp_buf_new(PEM_MAX);
    rp_err err =
        rp_x509_make_leaf(env, authority, authority_key, names, count, LEAF_DAYS, &cert, &key);
    if (rp_ok(err)) {
        err = write_pair(leaf_cert, leaf_key, &cert, &key);
    }
    wipe_done(&key);
    rp_buf_done(&cert);
    rp_wipe((void *)(uintptr_t)authority_key.p, authority_key.n);
    return err;
}

static void add_name(const char **names, size_t *count, const char *name) {
    bool new = *name != 0;
    for (size_t i = 0; i < *count; i++) {
        new = new &&strcmp(names[i], name) != 0;
    }
    if (new) {
        RP_ASSERT(*count < NAMES_MAX);
        names[(*count)++] = name;
    }
}

static size_t names_of(const struct rp_config *config, const char *names[static NAMES_MAX]) {
    size_t count = 0;
    add_name(names, &count, config->host);
    for (size_t i = 0; i < config->app_count; i++) {
        add_name(names, &count, config->apps[i].host);
    }
    add_name(names, &count, "localhost");
    add_name(names, &count, "127.0.0.1");
    bool any = strcmp(config->address, "0.0.0.0") == 0 || strcmp(config->address, "::") == 0;
    add_name(names, &count, any ? "" : config->address);
    return count;
}

/* The names, one a line: what the leaf that lies there was made for. */
static rp_view names_text(struct rp_arena *arena, const char *const *names, size_t count) {
    rp_view text = RP_VIEW("");
    for (size_t i = 0; i < count; i++) {
        text = rp_arena_printf(arena, "%.*s%s\n", RP_FMT(text), names[i]);
    }
    return text;
}

static bool lasts(const char *path, const struct rp_env *env, struct rp_arena *arena) {
    rp_view cert;
    int64_t until_s = 0;
    return rp_ok(rp_file_read(path, PEM_MAX, arena, &cert)) &&
           rp_ok(rp_x509_not_after(cert, &until_s)) &&
           until_s > rp_env_now_s(env) + (int64_t)RENEW_DAYS * DAY_S;
}

static bool leaf_is_good(const struct rp_env *env, struct rp_arena *arena, rp_view wanted) {
    rp_view have;
    return lasts(leaf_cert, env, arena) && rp_file_exists(leaf_key) &&
           rp_ok(rp_file_read(leaf_names, PEM_MAX, arena, &have)) && rp_view_equal(have, wanted);
}

rp_err gate_tls_prepare(const struct rp_config *config, const struct rp_env *env,
                        struct rp_arena *arena, struct rp_diag *diag) {
    RP_ASSERT(config != NULL && env != NULL);
    RP_TRY(rp_folder_make("gate/tls", 0755));
    if (!lasts(client_canary, env, arena)) {
        RP_TRY(make_client_canary(env));
    }
    if (*config->certificate) {
        return *config->certificate_key
                   ? RP_OK
                   : rp_fail(diag, RP_ERR(INVALID), "gate.certificate needs gate.certificate_key");
    }
    bool new_ca = !lasts(ca_cert, env, arena) || !rp_file_exists(ca_key);
    if (new_ca) {
        RP_TRY(make_ca(env));
    }
    const char *names[NAMES_MAX];
    size_t count = names_of(config, names);
    rp_view wanted = names_text(arena, names, count);
    if (!wanted.p) {
        return RP_ERR(NO_MEMORY);
    }
    if (!new_ca && leaf_is_good(env, arena, wanted)) {
        return RP_OK;
    }
    RP_TRY(make_leaf(env, arena, names, count));
    return rp_file_replace(leaf_names, 0644, wanted);
}
