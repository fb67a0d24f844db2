/* ngx_rempart_health.c — several instances of an application, each asked whether it is well.
 *
 * What a request meets (a connection that fails, no answer) is nginx's own business. This sees what
 * no request should have to meet: an instance that takes connections and never answers, or that
 * answers each request with an error. The first worker asks each instance every two seconds; one
 * that failed twice gets no requests until it is well again. Where all fail, all are asked: a wrong
 * address of the check takes no application down. What is found stands in the upstream's shared
 * zone, so that every worker follows it; a new configuration begins with all of them well.
 */
#include "ngx_rempart.h"

enum { EVERY_MS = 2000, ANSWER_MS = 2000, FAILURES = 2, STATUS_LINE = 12 };

/* One upstream, as the configuration has it. */
typedef struct {
    ngx_http_upstream_srv_conf_t *upstream;
    ngx_str_t request;
} ngx_rempart_health_t;

/* One instance, as the first worker sees it. */
typedef struct {
    struct ngx_rempart_group_s *group;
    ngx_http_upstream_rr_peer_t *peer; /* in shared memory */
    ngx_peer_connection_t peer_connection;
    ngx_event_t next;
    size_t sent, got;
    u_char answer[STATUS_LINE]; /* "HTTP/1.1 200" */
    ngx_uint_t failures;
} instance_t;

typedef struct ngx_rempart_group_s {
    const ngx_rempart_health_t *health;
    ngx_http_upstream_rr_peers_t *peers;
    instance_t *instances;
    size_t count;
} group_t;

/* ---- the configuration ---- */

/* rempart_health PATH HOST; in upstream, with a zone. */
char *ngx_rempart_set_health(ngx_conf_t *cf, ngx_command_t *cmd, void *conf) {
    static char needs_path[] = "needs a path";
    ngx_rempart_main_conf_t *main_conf = conf;
    const ngx_str_t *words = cf->args->elts;
    (void)cmd;
    if (words[1].len == 0 || words[1].data[0] != '/') {
        return needs_path;
    }
    if (!main_conf->health) {
        main_conf->health = ngx_array_create(cf->pool, 4, sizeof(ngx_rempart_health_t));
    }
    ngx_rempart_health_t *health = main_conf->health ? ngx_array_push(main_conf->health) : NULL;
    static const char form[] = "GET %V HTTP/1.1\r\nHost: %V\r\nUser-Agent: rempart-health\r\n"
                               "Accept: */*\r\nConnection: close\r\n\r\n";
    size_t most = sizeof form + words[1].len + words[2].len;
    u_char *text = health ? ngx_pnalloc(cf->pool, most) : NULL;
    if (!text) {
        return NGX_CONF_ERROR;
    }
    health->upstream = ngx_http_conf_get_module_srv_conf(cf, ngx_http_upstream_module);
    health->request.data = text;
    health->request.len = (size_t)(ngx_snprintf(text, most, form, &words[1], &words[2]) - text);
    return NGX_CONF_OK;
}

/* ---- what an answer changes ---- */

static ngx_flag_t is_ill(const instance_t *instance) {
    return instance->failures >= FAILURES;
}

/* All fail: then none is left out. */
static void tell_workers(const group_t *group) {
    size_t ill = 0;
    for (size_t i = 0; i < group->count; i++) {
        ill += is_ill(&group->instances[i]) ? 1 : 0;
    }
    ngx_http_upstream_rr_peers_wlock(group->peers);
    for (size_t i = 0; i < group->count; i++) {
        const instance_t *instance = &group->instances[i];
        instance->peer->down = ill < group->count && is_ill(instance);
    }
    ngx_http_upstream_rr_peers_unlock(group->peers);
}

static void conclude(instance_t *instance, const char *failure) {
    const ngx_str_t *application = &instance->group->health->upstream->host;
    ngx_log_t *log = ngx_cycle->log;
    ngx_flag_t was_ill = is_ill(instance);
    if (instance->peer_connection.connection) {
        ngx_close_connection(instance->peer_connection.connection);
        instance->peer_connection.connection = NULL;
    }
    instance->failures = failure ? ngx_min(instance->failures + 1, FAILURES) : 0;
    if (is_ill(instance) && !was_ill) {
        ngx_log_error(NGX_LOG_WARN, log, 0, "rempart: %V: %V is left out: %s", application,
                      &instance->peer->name, failure);
    } else if (was_ill && !is_ill(instance)) {
        ngx_log_error(NGX_LOG_WARN, log, 0, "rempart: %V: %V is well again", application,
                      &instance->peer->name);
    }
    if (is_ill(instance) != was_ill) {
        tell_workers(instance->group);
    }
    if (!ngx_exiting) {
        ngx_add_timer(&instance->next, EVERY_MS);
    }
}

/* ---- asking ---- */

static void do_nothing(ngx_event_t *event) {
    (void)event;
}

static instance_t *instance_of(const ngx_event_t *event) {
    const ngx_connection_t *connection = event->data;
    return connection->data;
}

static void on_write(ngx_event_t *event) {
    instance_t *instance = instance_of(event);
    const ngx_str_t *request = &instance->group->health->request;
    ngx_connection_t *connection = event->data;
    ssize_t n =
        connection->send(connection, request->data + instance->sent, request->len - instance->sent);
    if (n == NGX_ERROR) {
        conclude(instance, "it takes no connection");
        return;
    }
    instance->sent += n > 0 ? (size_t)n : 0;
    if (instance->sent == request->len) {
        event->handler = do_nothing;
    }
    if (ngx_handle_write_event(event, 0) != NGX_OK) {
        conclude(instance, "no event for its connection");
    }
}

/* 2xx and 3xx are well. */
static const char *read_status(const u_char answer[static STATUS_LINE]) {
    ngx_flag_t http = ngx_strncmp(answer, "HTTP/1.", 7) == 0 && answer[8] == ' ';
    ngx_int_t status = http ? ngx_atoi((u_char *)(uintptr_t)answer + 9, 3) : NGX_ERROR;
    return !http                           ? "it speaks no HTTP"
           : status < 200 || status >= 400 ? "its answer is an error"
                                           : NULL;
}

static void on_read(ngx_event_t *event) {
    instance_t *instance = instance_of(event);
    ngx_connection_t *connection = event->data;
    if (event->timedout) {
        conclude(instance, "no answer within two seconds");
        return;
    }
    ssize_t n =
        connection->recv(connection, instance->answer + instance->got, STATUS_LINE - instance->got);
    if (n == NGX_AGAIN && ngx_handle_read_event(event, 0) == NGX_OK) {
        return;
    }
    if (n <= 0) {
        conclude(instance, instance->sent > 0 ? "it hangs up" : "it takes no connection");
        return;
    }
    instance->got += (size_t)n;
    if (instance->got == STATUS_LINE) {
        conclude(instance, read_status(instance->answer));
    } else if (ngx_handle_read_event(event, 0) != NGX_OK) {
        conclude(instance, "no event for its connection");
    }
}

static void ask(ngx_event_t *event) {
    instance_t *instance = event->data;
    if (ngx_exiting) {
        return;
    }
    ngx_peer_connection_t *peer = &instance->peer_connection;
    *peer = (ngx_peer_connection_t){.sockaddr = instance->peer->sockaddr,
                                    .socklen = instance->peer->socklen,
                                    .name = &instance->peer->name,
                                    .get = ngx_event_get_peer,
                                    .log = ngx_cycle->log,
                                    .log_error = NGX_ERROR_IGNORE_ECONNRESET};
    instance->sent = instance->got = 0;
    ngx_int_t rc = ngx_event_connect_peer(peer);
    if (!peer->connection || (rc != NGX_OK && rc != NGX_AGAIN)) {
        conclude(instance, "it takes no connection");
        return;
    }
    ngx_connection_t *connection = peer->connection;
    connection->data = instance;
    connection->read->handler = on_read;
    connection->write->handler = on_write;
    ngx_add_timer(connection->read, ANSWER_MS);
    if (rc == NGX_OK) {
        on_write(connection->write);
    }
}

/* ---- a worker's beginning ---- */

static ngx_int_t start_group(const ngx_rempart_health_t *health, ngx_cycle_t *cycle) {
    ngx_http_upstream_rr_peers_t *peers = health->upstream->peer.data;
    group_t *group = ngx_pcalloc(cycle->pool, sizeof *group);
    if (!group) {
        return NGX_ERROR;
    }
    group->health = health;
    group->peers = peers;
    group->instances = ngx_pcalloc(cycle->pool, peers->number * sizeof *group->instances);
    if (!group->instances) {
        return NGX_ERROR;
    }
    for (ngx_http_upstream_rr_peer_t *peer = peers->peer; peer && group->count < peers->number;
         peer = peer->next) {
        instance_t *instance = &group->instances[group->count++];
        instance->group = group;
        instance->peer = peer;
        /* A worker that takes the place of another one goes on with what that one found. */
        instance->failures = peer->down ? FAILURES : 0;
        instance->next.handler = ask;
        instance->next.data = instance;
        instance->next.log = cycle->log;
        instance->next.cancelable = 1; /* does not keep an exiting worker alive */
        ngx_add_timer(&instance->next, EVERY_MS);
    }
    return NGX_OK;
}

ngx_int_t ngx_rempart_health_start(const ngx_rempart_main_conf_t *main_conf, ngx_cycle_t *cycle) {
    const ngx_rempart_health_t *all = main_conf->health ? main_conf->health->elts : NULL;
    for (ngx_uint_t i = 0; all && ngx_worker == 0 && i < main_conf->health->nelts; i++) {
        if (start_group(&all[i], cycle) != NGX_OK) {
            return NGX_ERROR;
        }
    }
    return NGX_OK;
}
