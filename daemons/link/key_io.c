#include "key_io.h"

#include "os/file.h"

static const char folder[] = "link", file[] = "link/key.pem";

enum { FOLDER_MODE = 0700, KEY_MODE = 0600 };

static rp_err make(void) {
    struct rp_buf pem = rp_buf_new_wiping(RP_TLS_KEY_PEM_MAX);
    rp_err err = rp_folder_make(folder, FOLDER_MODE);
    if (rp_ok(err)) {
        err = rp_tls_key_make(&pem);
    }
    if (rp_ok(err)) {
        err = rp_file_create(file, KEY_MODE, rp_buf_view(&pem));
    }
    rp_buf_done(&pem);
    return rp_is(err, RP_E_DUPLICATE) ? RP_OK : err; /* somebody else was asked in this moment */
}

rp_err link_key_load(const struct rp_env *env, struct rp_arena *arena, struct rp_tls_key **ret_key,
                     struct rp_diag *diag) {
    rp_view pem = {NULL, 0};
    if (!rp_file_exists(file)) {
        rp_err made = make();
        if (!rp_ok(made)) {
            return rp_fail(diag, made, "a new key cannot be written there");
        }
    }
    rp_err err = rp_file_read(file, RP_TLS_KEY_PEM_MAX, arena, &pem);
    if (rp_ok(err)) {
        err = rp_tls_key_read(env, pem, ret_key);
    }
    rp_wipe((uint8_t *)(uintptr_t)pem.p, pem.n);
    return rp_ok(err) ? RP_OK
                      : rp_fail(diag, err,
                                "not the key that was made there; without it the other "
                                "machines have to be told a new one");
}
