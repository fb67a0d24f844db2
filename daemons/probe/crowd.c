#include "crowd.h"

#include <curl/curl.h>
#include <stdio.h>

#include "base/assert.h"
#include "base/checked.h"

enum {
    AT_ONCE = 16,
    WAIT_MS = 2,       /* for an answer, before the clock is looked at again */
    GOOD_PAUSE_MS = 5, /* a page with its pictures; under every limit of a session */
    GOOD_SLOW_MS = 2000
};

/* One browser, of the crowd or the good one. */
struct asker {
    struct http *http;
    char url[400];
    bool asks;
    int64_t asked_ms, ready_ms; /* when it asked last; when it may again */
};

struct crowd {
    const struct crowd_target *target;
    const struct crowd_plan *plan;
    struct crowd_seen *seen;
    CURLM *multi;
    struct asker good, crowd[AT_ONCE];
    int64_t began_ms;
    unsigned sent;
};

static int64_t now_ms(const struct crowd *crowd) {
    return rp_env_monotonic_ms(crowd->target->env);
}

static size_t forget(char *bytes, size_t size, size_t n, void *ctx) {
    (void)bytes;
    (void)ctx;
    return size * n;
}

static rp_err prepare(struct crowd *crowd, struct asker *asker, struct http *http, const char *path,
                      const char *from) {
    if (!http) {
        return RP_ERR(NO_MEMORY);
    }
    const struct rp_config *config = crowd->target->config;
    CURL *curl = http_handle(http);
    asker->http = http;
    snprintf(asker->url, sizeof asker->url, "https://%s:%llu%s", config->host,
             (unsigned long long)config->listen, path);
    curl_easy_setopt(curl, CURLOPT_URL, asker->url);
    curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, NULL); /* the last request's are gone */
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, forget);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, forget);
    curl_easy_setopt(curl, CURLOPT_PRIVATE, asker);
    if (from) {
        char address[80];
        snprintf(address, sizeof address, "host!%s", from);
        curl_easy_setopt(curl, CURLOPT_INTERFACE, address);
    }
    return RP_OK;
}

static rp_err gather(struct crowd *crowd) {
    const struct crowd_target *target = crowd->target;
    const struct rp_config *config = target->config;
    crowd->multi = curl_multi_init();
    if (!crowd->multi) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(prepare(crowd, &crowd->good, http_twin(target->good), target->good_path, NULL));
    curl_easy_setopt(http_handle(crowd->good.http), CURLOPT_TIMEOUT_MS, (long)GOOD_SLOW_MS);
    for (size_t i = 0; i < AT_ONCE; i++) {
        struct http *http =
            http_new(config->host, target->address, (uint16_t)config->listen, http_ca_file(config));
        RP_TRY(prepare(crowd, &crowd->crowd[i], http, crowd->plan->path, crowd->plan->from));
    }
    return RP_OK;
}

static void disperse(struct crowd *crowd) {
    for (size_t i = 0; i <= AT_ONCE; i++) {
        struct asker *asker = i < AT_ONCE ? &crowd->crowd[i] : &crowd->good;
        if (asker->http && asker->asks) {
            curl_multi_remove_handle(crowd->multi, http_handle(asker->http));
        }
        http_free(asker->http);
    }
    curl_multi_cleanup(crowd->multi);
}

static void ask(struct crowd *crowd, struct asker *asker) {
    if (!asker->asks && now_ms(crowd) >= asker->ready_ms &&
        curl_multi_add_handle(crowd->multi, http_handle(asker->http)) == CURLM_OK) {
        asker->asks = true;
        asker->asked_ms = now_ms(crowd);
    }
}

static bool has_seen_enough(const struct crowd *crowd) {
    int64_t took_ms = now_ms(crowd) - crowd->began_ms;
    bool refused = crowd->seen->refused >= crowd->plan->refusals_enough;
    return took_ms >= crowd->plan->longest_ms || (refused && took_ms >= crowd->plan->least_ms);
}

static void ask_all(struct crowd *crowd) {
    ask(crowd, &crowd->good);
    for (size_t i = 0; i < AT_ONCE && crowd->sent < crowd->plan->requests_max; i++) {
        bool idle = !crowd->crowd[i].asks;
        ask(crowd, &crowd->crowd[i]);
        crowd->sent += idle && crowd->crowd[i].asks;
    }
}

static void count_good(struct crowd *crowd, struct asker *good, bool came, long status) {
    int64_t took_ms = now_ms(crowd) - good->asked_ms;
    crowd->seen->good_asked++;
    crowd->seen->good_served += came && status == 200 && took_ms <= GOOD_SLOW_MS;
    crowd->seen->good_slowest_ms = RP_MAX(crowd->seen->good_slowest_ms, took_ms);
    good->ready_ms = now_ms(crowd) + GOOD_PAUSE_MS;
}

static void count_crowd(struct crowd *crowd, bool came, long status) {
    crowd->seen->answered += came;
    crowd->seen->passed += came && status == 200;
    crowd->seen->refused += came && status == 429;
}

static void take_answers(struct crowd *crowd) {
    int left = 0;
    for (CURLMsg *told; (told = curl_multi_info_read(crowd->multi, &left)) != NULL;) {
        struct asker *asker = NULL;
        long status = 0;
        CURL *curl = told->easy_handle;
        bool came = told->data.result == CURLE_OK;
        curl_easy_getinfo(curl, CURLINFO_PRIVATE, (char **)&asker);
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        RP_ASSERT(asker != NULL && asker->asks);
        curl_multi_remove_handle(crowd->multi, curl);
        asker->asks = false;
        if (asker == &crowd->good) {
            count_good(crowd, asker, came, status);
        } else {
            count_crowd(crowd, came, status);
        }
    }
}

static bool somebody_asks(const struct crowd *crowd) {
    bool asks = false;
    for (size_t i = 0; i < AT_ONCE; i++) {
        asks = asks || crowd->crowd[i].asks;
    }
    return asks;
}

static void wait_for_answers(struct crowd *crowd) {
    int running = 0;
    curl_multi_perform(crowd->multi, &running);
    take_answers(crowd);
    curl_multi_poll(crowd->multi, NULL, 0, WAIT_MS, NULL);
}

/* Answers to the crowd that are still on their way at the end are nobody's; the good client gets
 * its last one, or has waited too long. */
static void storm(struct crowd *crowd) {
    crowd->began_ms = now_ms(crowd);
    do {
        ask_all(crowd);
        wait_for_answers(crowd);
    } while (!has_seen_enough(crowd) &&
             (somebody_asks(crowd) || crowd->sent < crowd->plan->requests_max));
    crowd->seen->took_ms = now_ms(crowd) - crowd->began_ms;
    while (crowd->good.asks) {
        wait_for_answers(crowd);
    }
}

rp_err crowd_run(const struct crowd_target *target, const struct crowd_plan *plan,
                 struct crowd_seen *seen) {
    RP_ASSERT(plan->longest_ms > plan->least_ms && plan->requests_max > plan->refusals_enough);
    struct crowd crowd = {.target = target, .plan = plan, .seen = seen};
    rp_err err = gather(&crowd);
    if (rp_ok(err)) {
        storm(&crowd);
        err = seen->answered > 0 ? RP_OK : RP_ERR(UNREACHABLE);
    }
    disperse(&crowd);
    return err;
}
