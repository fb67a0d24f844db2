/* ngx_rempart_worker.c — a worker's first moment: its tables, its ring, then its walls. */
#include "ngx_rempart.h"

#include <sys/prctl.h>

#include "os/file.h"
#include "worker/confine.h"

enum { REFRESH_MS = 1000 };

static void refresh(ngx_event_t *event) {
    ngx_rempart_main_conf_t *main_conf = event->data;
    worker_tables_refresh(&main_conf->tables);
    if (!ngx_exiting) {
        ngx_add_timer(event, REFRESH_MS);
    }
}

static ngx_int_t confine(const ngx_rempart_main_conf_t *main_conf, ngx_log_t *log,
                         struct rp_isolation *ret_isolation) {
    struct rp_isolation isolation;
    struct rp_diag diag = {0};
    const ngx_array_t *ports = main_conf->ports;
    const struct worker_walls walls = {.paths = main_conf->files->elts,
                                       .path_count = main_conf->files->nelts,
                                       .any_port = ports == NULL,
                                       .ports = ports ? ports->elts : NULL,
                                       .port_count = ports ? ports->nelts : 0};
    rp_err err = worker_confine(&walls, &isolation, &diag);
    if (!rp_ok(err)) {
        ngx_log_error(NGX_LOG_EMERG, log, 0, "rempart: this worker cannot be confined: %s %s",
                      rp_err_name(err), diag.text);
        return NGX_ERROR;
    }
    if (isolation.landlock_abi == 0) {
        ngx_log_error(
            NGX_LOG_WARN, log, 0,
            "rempart: this kernel has no Landlock; files are fenced by their modes alone");
    }
    isolation.own_user = main_conf->started_as_root && geteuid() != 0;
    *ret_isolation = isolation;
    return NGX_OK;
}

/* "ready" and the isolation as JSON, as every role says it; by the first worker, because only a
 * worker knows that it stands within its walls. */
static void tell_ready(ngx_rempart_main_conf_t *main_conf, const struct rp_isolation *is) {
    if (main_conf->ready_fd < 0) {
        return;
    }
    char text[200];
    int n = snprintf(
        text, sizeof text,
        "ready\n{\"landlock_abi\":%d,\"network_fenced\":%s,\"own_user\":%s,\"seccomp\":%s}\n",
        is->landlock_abi, is->network_fenced ? "true" : "false", is->own_user ? "true" : "false",
        is->seccomp ? "true" : "false");
    if (ngx_worker == 0 && n > 0) {
        /* A supervisor that is gone needs no answer. */
        rp_ignore(rp_file_write_all(main_conf->ready_fd, rp_view_of(text, (size_t)n)));
    }
    rp_fd_done(&main_conf->ready_fd);
}

/* A master that is killed cannot end its workers, and nothing may outlive the supervisor. */
static ngx_int_t end_with_master(ngx_log_t *log) {
    if (ngx_process != NGX_PROCESS_WORKER) {
        return NGX_OK;
    }
    if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || getppid() != ngx_parent) {
        ngx_log_error(NGX_LOG_EMERG, log, 0, "rempart: the master process is gone");
        return NGX_ERROR;
    }
    return NGX_OK;
}

ngx_int_t ngx_rempart_init_process(ngx_cycle_t *cycle) {
    ngx_rempart_main_conf_t *main_conf =
        ngx_http_cycle_get_module_main_conf(cycle, ngx_http_rempart_module);
    bool worker = ngx_process == NGX_PROCESS_WORKER || ngx_process == NGX_PROCESS_SINGLE;
    if (!main_conf || main_conf->state.len == 0 || !worker) {
        return NGX_OK;
    }
    if (end_with_master(cycle->log) != NGX_OK) {
        return NGX_ERROR;
    }
    main_conf->tables = worker_tables_new((const char *)main_conf->state.data);
    worker_tables_refresh(&main_conf->tables);
    worker_ring_take(&main_conf->tables, (unsigned)ngx_worker);
    if (!main_conf->tables.ring.p) {
        ngx_log_error(NGX_LOG_WARN, cycle->log, 0,
                      "rempart: no ring is free in %V; requests of this worker are not recorded",
                      &main_conf->state);
    }
    if (main_conf->notes.len > 0) {
        worker_notes_take(&main_conf->tables, (const char *)main_conf->notes.data);
    }
    main_conf->refresh.handler = refresh;
    main_conf->refresh.data = main_conf;
    main_conf->refresh.log = cycle->log;
    main_conf->refresh.cancelable = 1; /* does not keep an exiting worker alive */
    ngx_add_timer(&main_conf->refresh, REFRESH_MS);
    struct rp_isolation isolation = {0};
    if (main_conf->files && confine(main_conf, cycle->log, &isolation) != NGX_OK) {
        return NGX_ERROR;
    }
    tell_ready(main_conf, &isolation);
    return ngx_rempart_health_start(main_conf, cycle);
}
