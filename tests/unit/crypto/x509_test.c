/* The local authority's certificates, judged by openssl(1), which is not our code. */
#include "unit.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/checked.h"
#include "crypto/x509.h"

enum { PEM = 8192, DAY_S = 24 * 3600 };

static struct unit_world world = {.now_ns = 1790000000LL * 1000000000, .random_state = 5};
static struct rp_env env;

struct pems {
    struct rp_buf ca_cert, ca_key, cert, key;
};

static int start(void **state) {
    (void)state;
    env = unit_env(&world);
    assert_ok(rp_crypto_start());
    return 0;
}

static struct pems make(const char *const *names, size_t count) {
    struct pems p = {rp_buf_new(PEM), rp_buf_new(PEM), rp_buf_new(PEM), rp_buf_new(PEM)};
    assert_ok(rp_x509_make_ca(&env, "Local authority", 3650, &p.ca_cert, &p.ca_key));
    assert_ok(rp_x509_make_leaf(&env, rp_buf_view(&p.ca_cert), rp_buf_view(&p.ca_key), names, count,
                                90, &p.cert, &p.key));
    return p;
}

static void done(struct pems *p) {
    rp_buf_done(&p->ca_cert);
    rp_buf_done(&p->ca_key);
    rp_buf_done(&p->cert);
    rp_buf_done(&p->key);
}

static void write_file(const char *dir, const char *name, rp_view bytes, char path[static 256]) {
    snprintf(path, 256, "%s/%s", dir, name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, f), bytes.n);
    fclose(f);
}

/* openssl's exit code; its talk goes nowhere. */
static int openssl(const char *const *arguments) {
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", 1, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
    pid_t child = 0;
    char *argv[24] = {NULL};
    for (size_t i = 0; arguments[i]; i++) {
        argv[i] = strdup(arguments[i]);
    }
    assert_int_equal(posix_spawnp(&child, "openssl", &actions, NULL, argv, environ), 0);
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    for (size_t i = 0; argv[i]; i++) {
        free(argv[i]);
    }
    posix_spawn_file_actions_destroy(&actions);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void openssl_accepts_the_leaf_for_its_names_only(void **state) {
    (void)state;
    static const char *const names[] = {"app.example.test", "*.app.example.test", "127.0.0.1",
                                        "::1"};
    struct pems p = make(names, RP_COUNT_OF(names));
    char *dir = unit_dir_new();
    char ca[256];
    char cert[256];
    write_file(dir, "ca.pem", rp_buf_view(&p.ca_cert), ca);
    write_file(dir, "cert.pem", rp_buf_view(&p.cert), cert);
    static const struct {
        const char *flag;
        const char *value;
        int exit_code;
    } cases[] = {{"-verify_hostname", "app.example.test", 0},
                 {"-verify_hostname", "a.app.example.test", 0},
                 {"-verify_hostname", "example.test", 2},
                 {"-verify_ip", "127.0.0.1", 0},
                 {"-verify_ip", "::1", 0},
                 {"-verify_ip", "127.0.0.2", 2}};
    for (size_t i = 0; i < RP_COUNT_OF(cases); i++) {
        const char *const command[] = {"openssl",   "verify",      "-x509_strict", "-purpose",
                                       "sslserver", "-attime",     "1790000100",   "-CAfile",
                                       ca,          cases[i].flag, cases[i].value, cert,
                                       NULL};
        assert_int_equal(openssl(command), cases[i].exit_code);
    }
    unit_dir_remove(dir);
    done(&p);
}

static void validity_is_what_was_asked(void **state) {
    (void)state;
    static const char *const names[] = {"localhost"};
    struct pems p = make(names, 1);
    int64_t until = 0;
    assert_ok(rp_x509_not_after(rp_buf_view(&p.cert), &until));
    assert_int_equal(until, 1790000000 + 90 * DAY_S);
    assert_ok(rp_x509_not_after(rp_buf_view(&p.ca_cert), &until));
    assert_int_equal(until, 1790000000LL + 3650LL * DAY_S);
    done(&p);
}

static void keys_differ_and_a_foreign_key_does_not_sign(void **state) {
    (void)state;
    static const char *const names[] = {"localhost"};
    struct pems a = make(names, 1);
    struct pems b = make(names, 1);
    assert_false(rp_view_equal(rp_buf_view(&a.key), rp_buf_view(&b.key)));
    struct rp_buf cert = rp_buf_new(PEM);
    struct rp_buf key = rp_buf_new(PEM);
    assert_err(rp_x509_make_leaf(&env, rp_buf_view(&a.ca_cert), rp_buf_view(&b.ca_key), names, 1,
                                 90, &cert, &key),
               INVALID);
    assert_int_equal(cert.n, 0);
    done(&a);
    done(&b);
    rp_buf_done(&cert);
    rp_buf_done(&key);
}

static void bad_names_and_bad_texts_are_refused(void **state) {
    (void)state;
    static const char *const good[] = {"localhost"};
    static const char *const bad[] = {"", "a b", "a,DNS:evil.test", "exa*mple.test", "a\nb", "é"};
    struct pems p = make(good, 1);
    struct rp_buf cert = rp_buf_new(PEM);
    struct rp_buf key = rp_buf_new(PEM);
    for (size_t i = 0; i < RP_COUNT_OF(bad); i++) {
        assert_err(rp_x509_make_leaf(&env, rp_buf_view(&p.ca_cert), rp_buf_view(&p.ca_key), &bad[i],
                                     1, 90, &cert, &key),
                   INVALID);
    }
    int64_t until = 0;
    assert_err(rp_x509_not_after(RP_VIEW(""), &until), SYNTAX);
    assert_err(rp_x509_not_after(RP_VIEW("-----BEGIN CERTIFICATE-----\nAAAA\n"), &until), SYNTAX);
    assert_err(
        rp_x509_make_leaf(&env, RP_VIEW("no"), rp_buf_view(&p.ca_key), good, 1, 90, &cert, &key),
        SYNTAX);
    done(&p);
    rp_buf_done(&cert);
    rp_buf_done(&key);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(openssl_accepts_the_leaf_for_its_names_only),
        cmocka_unit_test(validity_is_what_was_asked),
        cmocka_unit_test(keys_differ_and_a_foreign_key_does_not_sign),
        cmocka_unit_test(bad_names_and_bad_texts_are_refused),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
