/* A real server in a thread, real sockets in a new folder, and clients good and bad. */
#include "ipc/ipc.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ipc/frame.h"
#include "ipc/table.h"
#include "os/file.h"
#include "os/socket.h"
#include "unit.h"

struct stage {
    char *folder;
    struct rp_loop *loop;
    struct rp_ipc_server *server;
    pthread_t thread;
    enum rp_role_id from;
    struct rp_ipc_call_id kept; /* a call that is answered later */
    rp_err answer;
    int refusals;
    enum rp_role_id refused_role;
    char reason[64];
};

/* Answers LEASE with its own bytes, PUBLIC too late, ASSERT with the test's error, NEW_KEY with
 * more than the table allows. */
static void handle(void *ctx, enum rp_role_id from, enum rp_ipc_message message,
                   struct rp_ipc_call_id call, rp_view request) {
    struct stage *stage = ctx;
    static const uint8_t large[4096];
    stage->from = from;
    if (message == RP_IPC_CORE_KMS_PUBLIC) {
        stage->kept = call;
    } else if (message == RP_IPC_CORE_KMS_NEW_KEY) {
        rp_ipc_reply(stage->server, call, RP_OK, rp_view_of(large, sizeof large));
    } else if (message == RP_IPC_CORE_KMS_ASSERT) {
        rp_ipc_reply(stage->server, call, stage->answer, RP_VIEW("why"));
    } else {
        rp_ipc_reply(stage->server, call, RP_OK, request);
    }
}

static void refused(void *ctx, enum rp_role_id named, pid_t pid, const char *reason) {
    struct stage *stage = ctx;
    (void)pid;
    stage->refusals++;
    stage->refused_role = named;
    snprintf(stage->reason, sizeof stage->reason, "%s", reason);
}

static void *serve(void *ctx) {
    struct stage *stage = ctx;
    return rp_ok(rp_loop_run(stage->loop)) ? ctx : NULL;
}

static void start(struct stage *stage) {
    struct rp_env env = rp_env_real();
    assert_ok(rp_loop_new(&env, &stage->loop));
    assert_ok(rp_ipc_server_new(stage->loop, RP_ROLE_KMS, handle, stage, &stage->server));
    rp_ipc_server_on_refused(stage->server, refused, stage);
    assert_int_equal(pthread_create(&stage->thread, NULL, serve, stage), 0);
}

/* After this the test may read what the server's thread wrote. */
static void stop(struct stage *stage) {
    void *ended = NULL;
    rp_loop_stop(stage->loop);
    assert_int_equal(pthread_join(stage->thread, &ended), 0);
    assert_ptr_equal(ended, stage);
    rp_ipc_server_free(stage->server);
    rp_loop_free(stage->loop);
    stage->loop = NULL;
}

static int set_up(void **state) {
    struct stage *stage = test_calloc(1, sizeof *stage);
    stage->folder = unit_dir_new();
    assert_int_equal(chdir(stage->folder), 0);
    assert_ok(rp_folder_make("run", 0755));
    *state = stage;
    start(stage);
    return 0;
}

static int tear_down(void **state) {
    struct stage *stage = *state;
    if (stage->loop) {
        stop(stage);
    }
    int failed = chdir("/");
    unit_dir_remove(stage->folder);
    test_free(stage);
    return failed;
}

static void a_call_comes_back(void **state) {
    struct stage *stage = *state;
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_KMS, 2000);
    struct rp_buf reply = rp_buf_new(1000);
    assert_non_null(client);
    for (int i = 0; i < 3; i++) {
        assert_ok(rp_ipc_call(client, RP_IPC_CORE_KMS_LEASE, RP_VIEW("give me"), &reply));
        assert_view(rp_buf_view(&reply), "give me");
    }
    rp_ipc_client_free(client);
    rp_buf_done(&reply);
    stop(stage);
    assert_int_equal(stage->from, RP_ROLE_CORE);
    assert_int_equal(stage->refusals, 0);
}

static void an_error_comes_back_as_itself(void **state) {
    struct stage *stage = *state;
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_KMS, 2000);
    struct rp_buf reply = rp_buf_new(1000);
    stage->answer = RP_ERR(KMS_SEALED);
    assert_err(rp_ipc_call(client, RP_IPC_CORE_KMS_ASSERT, RP_VIEW("x"), &reply), KMS_SEALED);
    /* The connection is as good as before. */
    assert_ok(rp_ipc_call(client, RP_IPC_CORE_KMS_LEASE, RP_VIEW("x"), &reply));
    assert_view(rp_buf_view(&reply), "x");
    rp_ipc_client_free(client);
    rp_buf_done(&reply);
}

static void sizes_are_the_tables(void **state) {
    (void)state;
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_KMS, 2000);
    struct rp_buf reply = rp_buf_new(8000);
    uint8_t bytes[600] = {0};
    assert_err(rp_ipc_call(client, RP_IPC_CORE_KMS_LEASE, rp_view_of(bytes, 513), &reply),
               TOO_LARGE);
    /* The server may not answer more than the table says, either. */
    assert_err(rp_ipc_call(client, RP_IPC_CORE_KMS_NEW_KEY, RP_VIEW(""), &reply), TOO_LARGE);
    /* A message of another pair. */
    assert_err(rp_ipc_call(client, RP_IPC_CLI_KMS_UNSEAL, RP_VIEW(""), &reply), PROTOCOL);
    struct rp_buf small = rp_buf_new(2);
    assert_err(rp_ipc_call(client, RP_IPC_CORE_KMS_LEASE, RP_VIEW("xyz"), &small), TOO_LARGE);
    rp_buf_done(&small);
    rp_ipc_client_free(client);
    rp_buf_done(&reply);
}

static void answer_kept(void *ctx) {
    struct stage *stage = ctx;
    rp_ipc_reply(stage->server, stage->kept, RP_OK, RP_VIEW("late"));
}

static void *answer_later(void *ctx) {
    struct stage *stage = ctx;
    usleep(50000);
    return rp_ok(rp_loop_post(stage->loop, answer_kept, stage)) ? ctx : NULL;
}

static void an_answer_may_come_later(void **state) {
    struct stage *stage = *state;
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_KMS, 5000);
    struct rp_buf reply = rp_buf_new(1000);
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, answer_later, stage), 0);
    assert_ok(rp_ipc_call(client, RP_IPC_CORE_KMS_PUBLIC, RP_VIEW(""), &reply));
    assert_view(rp_buf_view(&reply), "late");
    pthread_join(thread, NULL);
    rp_ipc_client_free(client);
    rp_buf_done(&reply);
}

static void a_late_answer_is_never_taken_for_another(void **state) {
    struct stage *stage = *state;
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_KMS, 60);
    struct rp_buf reply = rp_buf_new(1000);
    assert_err(rp_ipc_call(client, RP_IPC_CORE_KMS_PUBLIC, RP_VIEW(""), &reply), TIMEOUT);
    /* The answer goes to a connection that is gone: dropped. */
    assert_ok(rp_loop_post(stage->loop, answer_kept, stage));
    assert_ok(rp_ipc_call(client, RP_IPC_CORE_KMS_LEASE, RP_VIEW("new"), &reply));
    assert_view(rp_buf_view(&reply), "new");
    rp_ipc_client_free(client);
    rp_buf_done(&reply);
}

static void a_restarted_server_is_found_again(void **state) {
    struct stage *stage = *state;
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_KMS, 2000);
    struct rp_buf reply = rp_buf_new(1000);
    enum rp_ipc_message lease = RP_IPC_CORE_KMS_LEASE;
    assert_ok(rp_ipc_call(client, lease, RP_VIEW("a"), &reply));
    stop(stage);
    assert_err(rp_ipc_call(client, lease, RP_VIEW("b"), &reply), UNREACHABLE);
    assert_ok(rp_file_remove("run/kms.sock"));
    assert_err(rp_ipc_call(client, lease, RP_VIEW("c"), &reply), UNREACHABLE);
    start(stage);
    assert_ok(rp_ipc_call(client, lease, RP_VIEW("d"), &reply));
    stop(stage);
    start(stage);
    /* The old connection is dead; the call goes over a new one without the caller noticing. */
    assert_ok(rp_ipc_call(client, lease, RP_VIEW("e"), &reply));
    assert_view(rp_buf_view(&reply), "e");
    rp_ipc_client_free(client);
    rp_buf_done(&reply);
}

/* ---- those who break the rules ---- */

static int raw_connect(void) {
    int fd = -1;
    assert_ok(rp_socket_connect("run/kms.sock", RP_SOCKET_MESSAGE, 2000, &fd));
    return fd;
}

static rp_err raw_send(int fd, uint32_t number, rp_view payload) {
    struct rp_buf buf = rp_buf_new(RP_IPC_MAX);
    struct rp_ipc_head head = {.number = number, .request = 1};
    rp_err err = rp_ipc_frame_write(&buf, &head, payload);
    if (rp_ok(err)) {
        err = rp_socket_send(fd, rp_buf_view(&buf));
    }
    rp_buf_done(&buf);
    return err;
}

static void raw_hello(int fd, enum rp_role_id role) {
    struct rp_buf hello = rp_buf_new(16);
    rp_ipc_hello_write(&hello, role);
    assert_ok(raw_send(fd, RP_IPC_HELLO, rp_buf_view(&hello)));
    rp_buf_done(&hello);
}

/* The server says nothing more and hangs up. */
static void assert_ended(int fd) {
    uint8_t out[256];
    size_t n;
    rp_err err = RP_OK;
    while (rp_ok(err)) {
        err = rp_socket_receive(fd, out, sizeof out, &n);
    }
    assert_err(err, CLOSED);
    rp_fd_done(&fd);
}

static void assert_refused(struct stage *stage, enum rp_role_id role, const char *reason) {
    stop(stage);
    assert_int_equal(stage->refusals, 1);
    assert_int_equal(stage->refused_role, role);
    assert_string_equal(stage->reason, reason);
}

static void a_pair_outside_the_table_is_refused(void **state) {
    int fd = raw_connect();
    raw_hello(fd, RP_ROLE_PROBE);
    assert_ended(fd);
    assert_refused(*state, RP_ROLE_PROBE, "pair not in the table");
}

static void a_message_outside_the_table_is_refused(void **state) {
    int fd = raw_connect();
    raw_hello(fd, RP_ROLE_CORE);
    assert_ok(raw_send(fd, RP_IPC_CLI_KMS_UNSEAL, RP_VIEW("x")));
    assert_ended(fd);
    assert_refused(*state, RP_ROLE_CORE, "message not in the table");
}

static void a_request_over_its_size_is_refused(void **state) {
    uint8_t bytes[600] = {0};
    int fd = raw_connect();
    raw_hello(fd, RP_ROLE_CORE);
    assert_ok(raw_send(fd, RP_IPC_CORE_KMS_LEASE, rp_view_of(bytes, 513)));
    assert_ended(fd);
    assert_refused(*state, RP_ROLE_CORE, "request over its size");
}

static void who_does_not_greet_is_refused(void **state) {
    int fd = raw_connect();
    assert_ok(raw_send(fd, RP_IPC_CORE_KMS_LEASE, RP_VIEW("x")));
    assert_ended(fd);
    assert_refused(*state, RP_ROLE_NONE, "no greeting of this release");
}

static void another_release_is_refused(void **state) {
    int fd = raw_connect();
    assert_ok(raw_send(fd, RP_IPC_HELLO, unit_hex("0002002004")));
    assert_ended(fd);
    assert_refused(*state, RP_ROLE_NONE, "no greeting of this release");
}

static void bytes_that_are_no_frame_are_refused(void **state) {
    int fd = raw_connect();
    assert_ok(rp_socket_send(fd, RP_VIEW("GET / HTTP/1.1\r\n\r\n")));
    assert_ended(fd);
    assert_refused(*state, RP_ROLE_NONE, "not a frame");
}

static void a_message_over_the_limit_is_refused(void **state) {
    uint8_t *bytes = test_calloc(1, RP_IPC_MAX + 1);
    int fd = raw_connect();
    assert_ok(rp_socket_send(fd, rp_view_of(bytes, RP_IPC_MAX + 1)));
    assert_ended(fd);
    assert_refused(*state, RP_ROLE_NONE, "message over the limit");
    test_free(bytes);
}

static void a_second_request_before_the_answer_is_refused(void **state) {
    int fd = raw_connect();
    raw_hello(fd, RP_ROLE_CORE);
    assert_ok(raw_send(fd, RP_IPC_CORE_KMS_PUBLIC, RP_VIEW("")));
    assert_ok(raw_send(fd, RP_IPC_CORE_KMS_PUBLIC, RP_VIEW("")));
    assert_ended(fd);
    assert_refused(*state, RP_ROLE_CORE, "request before the answer");
}

static void the_idlest_makes_room(void **state) {
    struct stage *stage = *state;
    int idle[70];
    for (size_t i = 0; i < 70; i++) {
        idle[i] = raw_connect();
    }
    struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_KMS, 2000);
    struct rp_buf reply = rp_buf_new(1000);
    assert_ok(rp_ipc_call(client, RP_IPC_CORE_KMS_LEASE, RP_VIEW("x"), &reply));
    rp_ipc_client_free(client);
    rp_buf_done(&reply);
    assert_ended(idle[0]);
    for (size_t i = 1; i < 70; i++) {
        rp_fd_done(&idle[i]);
    }
    stop(stage);
    assert_int_equal(stage->refusals, 0);
}

/* Run as root, a process of another user claims to be core: the kernel says that it is not. */
static void another_user_is_refused(void **state) {
    struct stage *stage = *state;
    if (geteuid() != 0) {
        print_message("# skipped: only root can start a process of another user\n");
        skip();
    }
    assert_int_equal(chmod(stage->folder, 0755), 0);
    assert_int_equal(chmod("run/kms.sock", 0666), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct rp_ipc_client *client = rp_ipc_client_new(RP_ROLE_CORE, RP_ROLE_KMS, 2000);
        struct rp_buf reply = rp_buf_new(100);
        /* Told that uid 65534 is core, it believes so itself. */
        bool ready = setgid(65534) == 0 && setuid(65534) == 0;
        rp_err err = rp_ipc_call(client, RP_IPC_CORE_KMS_LEASE, RP_VIEW("x"), &reply);
        _exit(ready && rp_is(err, RP_E_CLOSED) ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_refused(stage, RP_ROLE_CORE, "not the role's user");
}

#define ON_STAGE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        ON_STAGE(a_call_comes_back),
        ON_STAGE(an_error_comes_back_as_itself),
        ON_STAGE(sizes_are_the_tables),
        ON_STAGE(an_answer_may_come_later),
        ON_STAGE(a_late_answer_is_never_taken_for_another),
        ON_STAGE(a_restarted_server_is_found_again),
        ON_STAGE(a_pair_outside_the_table_is_refused),
        ON_STAGE(a_message_outside_the_table_is_refused),
        ON_STAGE(a_request_over_its_size_is_refused),
        ON_STAGE(who_does_not_greet_is_refused),
        ON_STAGE(another_release_is_refused),
        ON_STAGE(bytes_that_are_no_frame_are_refused),
        ON_STAGE(a_message_over_the_limit_is_refused),
        ON_STAGE(a_second_request_before_the_answer_is_refused),
        ON_STAGE(the_idlest_makes_room),
        ON_STAGE(another_user_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
