/* A secret is locked, left out of core dumps, fenced by guard pages, and equal to itself only. */
#include "unit.h"

#include <inttypes.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/checked.h"
#include "crypto/secret.h"

static struct rp_secret *random_secret(size_t n) {
    struct unit_world world = {.random_state = 7};
    struct rp_env env = unit_env(&world);
    struct rp_secret *secret = NULL;
    assert_ok(rp_secret_new_random(&env, n, &secret));
    return secret;
}

static int start(void **state) {
    (void)state;
    assert_ok(rp_crypto_start());
    return 0;
}

/* Does the kernel's own account of the mapping that holds `address` carry the flag? */
static bool mapping_has(const void *address, const char *flag) {
    FILE *maps = fopen("/proc/self/smaps", "re");
    assert_non_null(maps);
    char line[512];
    bool inside = false;
    bool found = false;
    while (fgets(line, sizeof line, maps)) {
        char *end = NULL;
        uintptr_t from = (uintptr_t)strtoumax(line, &end, 16);
        if (end != line && *end == '-') {
            uintptr_t to = (uintptr_t)strtoumax(end + 1, NULL, 16);
            inside = (uintptr_t)address >= from && (uintptr_t)address < to;
        } else if (inside && rp_view_starts(rp_view_from_cstr(line), RP_VIEW("VmFlags:"))) {
            found = strstr(line, flag) != NULL;
        }
    }
    fclose(maps);
    return found;
}

/* AddressSanitizer turns mlock into nothing; the plain build judges locking. */
static void skip_where_locking_is_disabled(void) {
#ifdef __SANITIZE_ADDRESS__
    skip();
#endif
}

/*= S84 type=test */
static void a_secret_is_locked_and_undumpable(void **state) {
    (void)state;
    skip_where_locking_is_disabled();
    struct rp_secret *secret = random_secret(32);
    assert_true(mapping_has(secret, " lo"));
    assert_true(mapping_has(secret, " dd"));
    assert_false(mapping_has(&secret, " dd")); /* the stack: the reading itself can say no */
    rp_secret_free(secret);
}

static void reading_past_a_secret_kills(void **state) {
    (void)state;
    struct rp_secret *secret = random_secret(32);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        const volatile char *p = (const volatile char *)secret;
        long page = sysconf(_SC_PAGESIZE);
        _exit(p[page] == 0 ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGSEGV);
    rp_secret_free(secret);
}

static void what_is_taken_is_wiped_at_its_source(void **state) {
    (void)state;
    uint8_t bytes[16] = "0123456789abcde";
    static const uint8_t zero[16];
    struct rp_secret *secret = NULL;
    assert_ok(rp_secret_new_take(bytes, sizeof bytes, &secret));
    assert_memory_equal(bytes, zero, sizeof zero);
    assert_int_equal(rp_secret_size(secret), 16);
    rp_secret_reveal(secret, bytes, sizeof bytes);
    assert_memory_equal(bytes, "0123456789abcde", sizeof bytes);
    rp_secret_free(secret);
    rp_secret_free(NULL);
}

static void equality_is_of_bytes_and_lengths(void **state) {
    (void)state;
    assert_true(rp_ct_equal(RP_VIEW("abc"), RP_VIEW("abc")));
    assert_true(rp_ct_equal(RP_VIEW(""), RP_VIEW("")));
    assert_false(rp_ct_equal(RP_VIEW("abc"), RP_VIEW("abd")));
    assert_false(rp_ct_equal(RP_VIEW("abc"), RP_VIEW("ab")));
}

/* A thousand leases at once must fit the limit that a distribution gives by default (8 MiB). */
static void a_thousand_secrets_fit_the_default_limit(void **state) {
    (void)state;
    static struct rp_secret *secrets[1024];
    for (size_t i = 0; i < RP_COUNT_OF(secrets); i++) {
        secrets[i] = random_secret(32);
    }
    for (size_t i = 0; i < RP_COUNT_OF(secrets); i++) {
        rp_secret_free(secrets[i]);
    }
}

/* The child has no right to lock memory, so that the limit counts for it. */
static int start_without_locked_memory(void) {
    struct rlimit none = {0, 0};
    if ((getuid() == 0 && setresuid(65534, 65534, 65534) != 0) ||
        setrlimit(RLIMIT_MEMLOCK, &none) != 0) {
        return 9;
    }
    return rp_is(rp_crypto_start(), RP_E_NO_MEMORY) ? 0 : 1;
}

static void without_locked_memory_nothing_starts(void **state) {
    (void)state;
    skip_where_locking_is_disabled();
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        _exit(start_without_locked_memory());
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_secret_is_locked_and_undumpable),
        cmocka_unit_test(reading_past_a_secret_kills),
        cmocka_unit_test(what_is_taken_is_wiped_at_its_source),
        cmocka_unit_test(equality_is_of_bytes_and_lengths),
        cmocka_unit_test(a_thousand_secrets_fit_the_default_limit),
        cmocka_unit_test(without_locked_memory_nothing_starts),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
