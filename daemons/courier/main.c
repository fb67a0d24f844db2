/* main.c — rempart-courier: one request, one mail, one webhook or one question to a witness. */
#include <curl/curl.h>
#include <stdlib.h>

#include "base/assert.h"
#include "base/checked.h"
#include "courier.h"
#include "crypto/secret.h"
#include "ipc/ipc.h"
#include "notify/hook.h"

enum { MESSAGE_MAX = 100 * 1024, ADDRESS_MAX = 254 };

struct courier {
    struct daemon daemon;
    struct account account;
    struct hooks hooks;
    struct memory memory;
    struct witnesses *witnesses;
    struct rp_ipc_server *server;
};

/* The address goes into a line of SMTP: one that could be more than an address is refused. */
static bool is_address(rp_view v) {
    for (size_t i = 0; i < v.n; i++) {
        if (v.p[i] <= ' ' || v.p[i] > '~' || v.p[i] == '<' || v.p[i] == '>') {
            return false;
        }
    }
    return v.n > 2 && v.n <= ADDRESS_MAX && rp_view_find_byte(v, '@') < v.n;
}

/* On disk before core hears of it: asked again, it is sent and stays unsent. */
static void remember(struct courier *courier, const struct answer *answer, rp_id id) {
    if (answer->outcome == OUTCOME_SENT && !rp_ok(memory_add(&courier->memory, id))) {
        daemon_say(&courier->daemon, "courier/sent: cannot write; a notice could go out twice");
    }
}

static struct answer deliver(struct courier *courier, rp_id id, rp_view to, rp_view message) {
    if (courier->daemon.config.smtp_url[0] == 0) {
        return (struct answer){OUTCOME_LATER, "smtp.url is not set"};
    }
    if (memory_has(&courier->memory, id)) {
        return (struct answer){OUTCOME_SENT, ""};
    }
    char text[ADDRESS_MAX + 3];
    snprintf(text, sizeof text, "<%.*s>", RP_FMT(to));
    struct answer answer = smtp_send(&courier->daemon, &courier->account, text, message);
    remember(courier, &answer, id);
    return answer;
}

static struct answer call(struct courier *courier, rp_id id, rp_view name, rp_view body) {
    const struct hook *hook = hook_named(&courier->hooks, name);
    if (!hook) { /* core has read another configuration already, or has it still */
        return (struct answer){OUTCOME_LATER, "no webhook of this name"};
    }
    if (memory_has(&courier->memory, id)) {
        return (struct answer){OUTCOME_SENT, ""};
    }
    struct answer answer = hook_send(&courier->daemon, hook, id, body);
    remember(courier, &answer, id);
    return answer;
}

static rp_err print_answer(const struct answer *answer, struct rp_buf *reply) {
    rp_pack_u8(reply, (uint8_t)answer->outcome);
    rp_pack_bytes(reply, rp_view_from_cstr(answer->problem));
    return rp_buf_err(reply);
}

static rp_err handle_mail(struct courier *courier, rp_view request, struct rp_buf *reply) {
    struct rp_unpack in = rp_unpack_new(request);
    rp_id id = rp_unpack_id(&in);
    rp_view to = rp_unpack_bytes(&in, ADDRESS_MAX), message = rp_unpack_bytes(&in, MESSAGE_MAX);
    RP_TRY(rp_unpack_end(&in));
    if (rp_id_is_none(id) || !is_address(to) || message.n == 0) {
        return RP_ERR(INVALID);
    }
    struct answer answer = deliver(courier, id, to, message);
    return print_answer(&answer, reply);
}

static rp_err handle_hook(struct courier *courier, rp_view request, struct rp_buf *reply) {
    struct rp_unpack in = rp_unpack_new(request);
    rp_id id = rp_unpack_id(&in);
    rp_view name = rp_unpack_bytes(&in, RP_WEBHOOK_NAME_MAX);
    rp_view body = rp_unpack_bytes(&in, RP_HOOK_BODY_MAX);
    RP_TRY(rp_unpack_end(&in));
    if (rp_id_is_none(id) || body.n == 0) {
        return RP_ERR(INVALID);
    }
    struct answer answer = call(courier, id, name, body);
    return print_answer(&answer, reply);
}

static void handle(void *ctx, enum rp_role_id from, enum rp_ipc_message message,
                   struct rp_ipc_call_id asked, rp_view request) {
    struct courier *courier = ctx;
    bool hook = (int)message == (int)RP_IPC_CORE_COURIER_HOOK;
    RP_ASSERT(from == RP_ROLE_CORE);
    if ((int)message == (int)RP_IPC_CORE_COURIER_WITNESS) {
        rp_err asked_err = witnesses_ask(courier->witnesses, asked, request);
        if (!rp_ok(asked_err)) {
            rp_ipc_reply(courier->server, asked, asked_err, RP_VIEW(""));
        }
        return;
    }
    RP_ASSERT(hook || (int)message == (int)RP_IPC_CORE_COURIER_MAIL);
    _cleanup_(rp_buf_done) struct rp_buf reply = rp_buf_new(512);
    rp_err err =
        hook ? handle_hook(courier, request, &reply) : handle_mail(courier, request, &reply);
    rp_ipc_reply(courier->server, asked, err, rp_ok(err) ? rp_buf_view(&reply) : RP_VIEW(""));
}

static rp_err serve(struct courier *courier) {
    struct daemon *daemon = &courier->daemon;
    RP_TRY(rp_crypto_start());
    RP_TRY(account_read(daemon, &courier->account));
    RP_TRY(hooks_read(daemon, &courier->hooks));
    RP_TRY(witnesses_read(daemon, &courier->witnesses));
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        return daemon_fail(daemon, RP_ERR(SYSTEM), "libcurl", NULL);
    }
    if (daemon->rehearses) {
        return RP_OK;
    }
    RP_TRY(daemon_enter(daemon));
    rp_err err = memory_open(&courier->memory, daemon->arena);
    if (rp_ok(err)) {
        err = rp_ipc_server_new(daemon->loop, RP_ROLE_COURIER, handle, courier, &courier->server);
    }
    if (rp_ok(err)) {
        err = witnesses_start(courier->witnesses, courier->server);
    }
    if (!rp_ok(err)) {
        return daemon_fail(daemon, err, "start", NULL);
    }
    return daemon_run(daemon);
}

static int run(struct courier *courier, int argc, char **argv) {
    courier->memory.fd = -1;
    rp_err err = daemon_start(&courier->daemon, RP_ROLE_COURIER, argc, argv);
    if (rp_ok(err)) {
        err = serve(courier);
    }
    witnesses_stop(courier->witnesses);
    rp_ipc_server_free(courier->server);
    memory_close(&courier->memory);
    rp_wipe(&courier->account, sizeof courier->account);
    hooks_done(&courier->hooks);
    daemon_done(&courier->daemon);
    return daemon_exit_code(err);
}

int main(int argc, char **argv) {
    struct courier *courier = calloc(1, sizeof *courier);
    int code = courier ? run(courier, argc, argv) : 1;
    free(courier);
    return code;
}
