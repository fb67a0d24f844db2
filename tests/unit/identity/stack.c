#include "stack.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keys/client.h"
#include "os/file.h"
#include "os/role.h"

enum { READY_S = 20, TRY_MS = 20 };

/* As the supervisor does it: each role's folder is its own. */
static void make_folder(const char *path, enum rp_role_id owner, mode_t mode) {
    assert_ok(rp_folder_make(path, 0700));
    uid_t uid = (uid_t)-1;
    gid_t gid = (gid_t)-1, own_group;
    if (geteuid() == 0) {
        assert_ok(rp_role_uid(owner, &uid, &own_group));
        assert_ok(rp_role_group(&gid));
    }
    assert_ok(rp_folder_own(path, uid, gid, mode));
}

/* In the child. */
static void become(const char *program, int ready) {
    char text[16], users[512];
    snprintf(text, sizeof text, "%d", ready);
    (void)setenv("REMPART_READY_FD", text, 1);
    if (!rp_ok(rp_role_users(0, users, sizeof users, NULL)) ||
        setenv("REMPART_USERS", users, 1) != 0) {
        _exit(126);
    }
    execl(program, program, "--state", ".", "--share", ".", (char *)NULL);
    _exit(127);
}

/* Starts the program and waits for its "ready". */
static pid_t start(const char *program) {
    int ready[2];
    char text[5] = {0};
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        close(ready[0]);
        become(program, ready[1]);
    }
    close(ready[1]);
    (void)alarm(READY_S);
    ssize_t n = read(ready[0], text, sizeof text);
    (void)alarm(0);
    close(ready[0]);
    if (n != 5 || __builtin_memcmp(text, "ready", 5) != 0) {
        fail_msg("%s did not become ready", program);
    }
    return child;
}

/* The key service opens itself with its key file once the ledger has taken its first event. */
void stack_wait_open(void) {
    struct rp_env env = rp_env_real();
    struct rp_keys *keys = NULL;
    assert_ok(rp_keys_new(&env, &keys));
    struct rp_buf jwks = rp_buf_new(8192), inventory = rp_buf_new(8192);
    rp_err err = rp_keys_public(keys, &jwks, &inventory);
    for (int i = 0; i < READY_S * 1000 / TRY_MS && rp_err_retry(err); i++) {
        usleep(TRY_MS * 1000);
        err = rp_keys_public(keys, &jwks, &inventory);
    }
    rp_buf_done(&jwks);
    rp_buf_done(&inventory);
    rp_keys_free(keys);
    assert_ok(err);
}

/* A test that fails in the middle, or in its setup, leaves nobody behind. */
static struct stack *standing;

static void end_at_exit(void) {
    if (standing != NULL && standing->kms > 0) {
        (void)kill(standing->kms, SIGKILL);
    }
    if (standing != NULL && standing->ledger > 0) {
        (void)kill(standing->ledger, SIGKILL);
    }
}

/* Started by root, each role needs its user; scripts/setup makes them. */
static bool users_are_there(void) {
    char users[512];
    return rp_ok(rp_role_users(0, users, sizeof users, NULL));
}

bool stack_is_there(void) {
    if (getenv("REMPART_LEDGER") && getenv("REMPART_KMS") && users_are_there()) {
        return true;
    }
    printf("1..0 # SKIP rempart-ledger and rempart-kms, or their users, are not there\n");
    return false;
}

void stack_start_ledger(struct stack *stack) {
    stack->ledger = start(getenv("REMPART_LEDGER"));
}

void stack_start_kms(struct stack *stack) {
    stack->kms = start(getenv("REMPART_KMS"));
}

void stack_start_with(struct stack *stack, rp_view config) {
    if (standing == NULL) {
        assert_int_equal(atexit(end_at_exit), 0);
    }
    *stack = (struct stack){.folder = NULL};
    standing = stack;
    stack->folder = unit_dir_new();
    assert_int_equal(chdir(stack->folder), 0);
    assert_int_equal(chmod(".", 0755), 0);
    make_folder("ledger", RP_ROLE_LEDGER, 02755);
    make_folder("kms", RP_ROLE_KMS, 0700);
    make_folder("run", RP_ROLE_SUPERVISOR, geteuid() == 0 ? 03775 : 0755);
    assert_ok(rp_file_create("rempart.yaml", 0644, config));
    stack_start_ledger(stack);
    stack_start_kms(stack);
}

void stack_start(struct stack *stack) {
    stack_start_with(stack, RP_VIEW("host: localhost\n"));
    stack_wait_open();
}

/* Its wait status. */
static int end(pid_t *child, int number) {
    int status = 0;
    if (*child > 0) {
        assert_int_equal(kill(*child, number), 0);
        assert_int_equal(waitpid(*child, &status, 0), *child);
        *child = 0;
    }
    return status;
}

void stack_kill_kms(struct stack *stack) {
    end(&stack->kms, SIGKILL);
}

void stack_kill_ledger(struct stack *stack) {
    end(&stack->ledger, SIGKILL);
}

void stack_end_kms(struct stack *stack) {
    assert_int_equal(end(&stack->kms, SIGTERM), 0);
}

void stack_stop(struct stack *stack) {
    end(&stack->kms, SIGTERM);
    end(&stack->ledger, SIGTERM);
    if (stack->folder != NULL) {
        assert_int_equal(chdir("/"), 0);
        unit_dir_remove(stack->folder);
        stack->folder = NULL;
    }
}
