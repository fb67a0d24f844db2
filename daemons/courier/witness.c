/* witness.c — heads of our log to the witnesses of ledger.witnesses, on a thread of its own: one
 * that does not answer keeps no mail waiting.
 *
 * Core names a witness by its place in the configuration, never by an address: so it can be made to
 * speak to nobody else. What comes back is passed on unread.
 */
#include "ledger/witness.h"
#include "base/assert.h"
#include "base/checked.h"
#include "courier.h"
#include "ledger/asking.h"
#include "os/file.h"
#include "os/pool.h"
#include "post.h"

enum {
    AUTHORITY_MAX = 1 << 20,
    CONNECT_MS = 4000,
    WHOLE_MS = 8000,
    BODY_MAX = 16 * 1024,
    URL_MAX = 720,
    REPLY_MAX = RP_WITNESS_ANSWER_MAX + 256
};

/* One question, from the request to the reply. */
struct asking {
    struct witnesses *witnesses;
    bool busy;
    struct rp_ipc_call_id call;
    size_t place;
    struct rp_buf body, answer;
    struct posted posted;
};

struct witnesses {
    const struct daemon *daemon;
    struct rp_ipc_server *server;
    struct rp_pool *pool; /* one thread */
    rp_view authority;
    struct curl_slist *headers;
    atomic_bool stopping;
    struct asking askings[WITNESS_QUESTIONS_MAX];
};

rp_err witnesses_read(struct daemon *daemon, struct witnesses **ret_witnesses) {
    const struct rp_config *config = &daemon->config;
    struct witnesses *witnesses = rp_arena_alloc(daemon->arena, sizeof *witnesses);
    if (!witnesses) {
        return RP_ERR(NO_MEMORY);
    }
    *witnesses = (struct witnesses){.daemon = daemon};
    if (*config->witness_authority) {
        rp_err err = rp_file_read(config->witness_authority, AUTHORITY_MAX, daemon->arena,
                                  &witnesses->authority);
        if (!rp_ok(err)) {
            return daemon_fail(daemon, err, config->witness_authority, NULL);
        }
    }
    *ret_witnesses = witnesses;
    return RP_OK;
}

rp_err witnesses_start(struct witnesses *witnesses, struct rp_ipc_server *server) {
    witnesses->server = server;
    for (size_t i = 0; i < WITNESS_QUESTIONS_MAX; i++) {
        witnesses->askings[i] = (struct asking){.witnesses = witnesses,
                                                .body = rp_buf_new(BODY_MAX),
                                                .answer = rp_buf_new(RP_WITNESS_ANSWER_MAX)};
    }
    witnesses->headers = curl_slist_append(NULL, "content-type: text/plain");
    RP_TRY(witnesses->headers ? RP_OK : RP_ERR(NO_MEMORY));
    return rp_pool_new(1, WITNESS_QUESTIONS_MAX, NULL, NULL, NULL, &witnesses->pool);
}

void witnesses_stop(struct witnesses *witnesses) {
    if (!witnesses) {
        return;
    }
    atomic_store(&witnesses->stopping, true);
    if (witnesses->pool) {
        rp_pool_free(witnesses->pool);
    }
    curl_slist_free_all(witnesses->headers);
    for (size_t i = 0; i < WITNESS_QUESTIONS_MAX; i++) {
        rp_buf_done(&witnesses->askings[i].body);
        rp_buf_done(&witnesses->askings[i].answer);
    }
}

/* ---- one question ---- */

static void reply(void *ctx) {
    struct asking *asking = ctx;
    const struct posted *posted = &asking->posted;
    _cleanup_(rp_buf_done) struct rp_buf out = rp_buf_new(REPLY_MAX);
    size_t type = strlen(RP_WITNESS_SIZE_TYPE);
    bool has_size = strncmp(posted->type, RP_WITNESS_SIZE_TYPE, type) == 0 &&
                    (posted->type[type] == '\0' || posted->type[type] == ';');
    rp_pack_u16(&out, posted->whole ? (uint16_t)posted->status : 0);
    rp_pack_u8(&out, has_size);
    rp_pack_bytes(&out, posted->whole ? rp_buf_view(&asking->answer) : RP_VIEW(""));
    rp_pack_bytes(&out, rp_view_from_cstr(posted->refused ? "a private or local address; "
                                                            "ledger.witness_private allows it"
                                                          : posted->problem));
    rp_ipc_reply(asking->witnesses->server, asking->call, rp_buf_err(&out), rp_buf_view(&out));
    asking->busy = false;
}

/* On the thread. */
static void ask(void *thread_state, void *ctx) {
    struct asking *asking = ctx;
    const struct witnesses *witnesses = asking->witnesses;
    const struct rp_config *config = &witnesses->daemon->config;
    struct rp_config_witness witness = {.url = {NULL, 0}};
    _cleanup_(rp_buf_done) struct rp_buf url = rp_buf_new(URL_MAX);
    (void)thread_state;
    bool good =
        rp_config_witness(rp_view_from_cstr(config->witnesses.items[asking->place]), &witness);
    RP_ASSERT(good); /* checked when the configuration was read */
    rp_buf_printf(&url, "%.*s/add-checkpoint", RP_FMT(witness.url));
    rp_buf_add_byte(&url, '\0');
    RP_ASSERT(rp_ok(rp_buf_err(&url))); /* a setting is shorter */
    struct post post = {.url = (const char *)url.p,
                        .authority = witnesses->authority,
                        .headers = witnesses->headers,
                        .body = rp_buf_view(&asking->body),
                        .connect_ms = CONNECT_MS,
                        .whole_ms = WHOLE_MS,
                        .answer = &asking->answer,
                        .gives_up = &witnesses->stopping};
    asking->posted = post_send(&post);
    rp_err err = rp_loop_post(witnesses->daemon->loop, reply, asking);
    RP_ASSERT(rp_ok(err)); /* fewer questions exist than posts may wait */
}

static struct asking *find_free(struct witnesses *witnesses) {
    for (size_t i = 0; i < WITNESS_QUESTIONS_MAX; i++) {
        if (!witnesses->askings[i].busy) {
            return &witnesses->askings[i];
        }
    }
    return NULL;
}

rp_err witnesses_ask(struct witnesses *witnesses, struct rp_ipc_call_id call, rp_view request) {
    struct rp_unpack in = rp_unpack_new(request);
    uint8_t place = rp_unpack_u8(&in);
    rp_view body = rp_unpack_bytes(&in, BODY_MAX);
    RP_TRY(rp_unpack_end(&in));
    if (place >= witnesses->daemon->config.witnesses.count || body.n == 0) {
        return RP_ERR(INVALID);
    }
    struct asking *asking = find_free(witnesses);
    if (!asking) {
        return RP_ERR(BUSY);
    }
    rp_buf_clear(&asking->body);
    rp_buf_clear(&asking->answer);
    rp_buf_add(&asking->body, body);
    RP_TRY(rp_buf_err(&asking->body));
    asking->call = call;
    asking->place = place;
    RP_TRY(rp_pool_submit(witnesses->pool, ask, asking));
    asking->busy = true;
    return RP_OK;
}
