/* hook.c — one call of the operator's own program, signed. */
#include <curl/curl.h>

#include "base/assert.h"
#include "base/checked.h"
#include "courier.h"
#include "crypto/secret.h"
#include "notify/hook.h"
#include "os/file.h"
#include "post.h"

enum { SECRET_FILE_MAX = 512, AUTHORITY_MAX = 1 << 20, CONNECT_MS = 10000, WHOLE_MS = 30000 };

static rp_err read_one(struct daemon *daemon, const struct rp_config_webhook *config,
                       struct hook *hook) {
    rp_view text = {NULL, 0};
    rp_err err = rp_file_read(config->secret, SECRET_FILE_MAX, daemon->arena, &text);
    if (rp_ok(err)) {
        err = rp_hook_secret_parse(text, &hook->secret);
        rp_wipe((void *)(uintptr_t)text.p, text.n);
    }
    if (!rp_ok(err)) {
        daemon_say(daemon, "%s: expected whsec_ and 24 to 64 bytes in base64", config->secret);
        return err;
    }
    hook->config = config;
    if (config->authority[0]) {
        err = rp_file_read(config->authority, AUTHORITY_MAX, daemon->arena, &hook->authority);
        return rp_ok(err) ? RP_OK : daemon_fail(daemon, err, config->authority, NULL);
    }
    return RP_OK;
}

rp_err hooks_read(struct daemon *daemon, struct hooks *hooks) {
    for (size_t i = 0; i < daemon->config.webhook_count; i++) {
        RP_TRY(read_one(daemon, &daemon->config.webhooks[i], &hooks->list[i]));
        hooks->count++;
    }
    return RP_OK;
}

const struct hook *hook_named(const struct hooks *hooks, rp_view name) {
    for (size_t i = 0; i < hooks->count; i++) {
        if (rp_view_equal(name, rp_view_from_cstr(hooks->list[i].config->name))) {
            return &hooks->list[i];
        }
    }
    return NULL;
}

void hooks_done(struct hooks *hooks) {
    for (size_t i = 0; i < RP_WEBHOOKS_MAX; i++) {
        rp_secret_free(hooks->list[i].secret); /* also of one that was half read */
    }
}

/* ---- one call ---- */

static struct curl_slist *headers_of(rp_id id, int64_t now_s, const char *signature) {
    struct rp_id_text text = rp_id_print(id);
    const char *const names[] = {"webhook-id", "webhook-timestamp", "webhook-signature"};
    char now[24], line[128];
    (void)snprintf(now, sizeof now, "%lld", (long long)now_s);
    const char *const values[] = {text.s, now, signature};
    struct curl_slist *list = curl_slist_append(NULL, "content-type: application/json");
    for (size_t i = 0; i < RP_COUNT_OF(names) && list; i++) {
        (void)snprintf(line, sizeof line, "%s: %s", names[i], values[i]);
        struct curl_slist *more = curl_slist_append(list, line);
        if (!more) {
            curl_slist_free_all(list);
        }
        list = more;
    }
    return list;
}

/* Taken: any 2xx. For good: 410, the receiver wants no more. Whatever else may pass. */
static struct answer judge(const struct posted *posted) {
    struct answer answer = {.outcome = OUTCOME_LATER, .problem = ""};
    long status = posted->status;
    if (posted->refused) {
        (void)snprintf(answer.problem, sizeof answer.problem,
                       "a private or local address; private: true allows it");
    } else if (status >= 200 && status < 300) {
        answer.outcome = OUTCOME_SENT; /* also when its answer was too long or broke off */
    } else if (status == 410) {
        answer.outcome = OUTCOME_REFUSED;
        (void)snprintf(answer.problem, sizeof answer.problem, "410: wanted no more");
    } else if (posted->whole) {
        (void)snprintf(answer.problem, sizeof answer.problem, "answered %ld%s", status,
                       status >= 300 && status < 400 ? "; redirects are not followed" : "");
    } else {
        (void)snprintf(answer.problem, sizeof answer.problem, "%s", posted->problem);
    }
    return answer;
}

struct answer hook_send(const struct daemon *daemon, const struct hook *hook, rp_id id,
                        rp_view body) {
    char signature[RP_HOOK_SIGNATURE + 1];
    int64_t now_s = rp_env_now_s(&daemon->env);
    if (!rp_ok(rp_hook_sign(hook->secret, id, now_s, body, signature))) {
        return (struct answer){OUTCOME_REFUSED, "too large"};
    }
    struct curl_slist *headers = headers_of(id, now_s, signature);
    if (!headers) {
        return (struct answer){OUTCOME_LATER, "out of memory"};
    }
    struct post post = {.url = hook->config->endpoint,
                        .authority = hook->authority,
                        .headers = headers,
                        .body = body,
                        .connect_ms = CONNECT_MS,
                        .whole_ms = WHOLE_MS};
    struct posted posted = post_send(&post);
    curl_slist_free_all(headers);
    return judge(&posted);
}
