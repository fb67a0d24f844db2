/* api.c — JSON answers, and the documents that describe the API: one table gives both. */
#include "base/assert.h"
#include "web/handlers.h"
#include "web/register_desk.h"

rp_err rp_api_send(struct rp_request *request, int status, const struct rp_json *json) {
    if (!json) {
        return RP_ERR(NO_MEMORY);
    }
    RP_TRY(rp_json_print(json, &request->response.body));
    request->response.status = status;
    request->response.content_type = "application/json";
    return RP_OK;
}

/* ---- OpenAPI 3.1 ---- */

static const char *const method_names[RP_METHOD_COUNT] = {"get", "post", "put", "patch", "delete"};

static void add_parameter(struct rp_arena *arena, struct rp_json *list, rp_view name,
                          const char *in) {
    struct rp_json *parameter = rp_json_add_object(arena, list, NULL);
    rp_json_add_string(arena, parameter, "name", name);
    rp_json_add_cstr(arena, parameter, "in", in);
    rp_json_add_bool(arena, parameter, "required", in[0] == 'p');
    struct rp_json *schema = rp_json_add_object(arena, parameter, "schema");
    rp_json_add_cstr(arena, schema, "type", "string");
}

static void add_parameters(struct rp_arena *arena, struct rp_json *operation,
                           const struct rp_route *route) {
    struct rp_json *list = rp_json_add_array(arena, operation, "parameters");
    rp_view path = route->path;
    while (path.p) {
        rp_view segment = rp_view_cut(&path, '/');
        if (segment.n > 2 && segment.p[0] == '{') {
            add_parameter(arena, list, rp_view_sub(segment, 1, segment.n - 2), "path");
        }
    }
    rp_view query = rp_view_from_cstr(route->query);
    while (query.p && query.n > 0) {
        add_parameter(arena, list, rp_view_cut(&query, ' '), "query");
    }
    if (route->method == RP_PUT || route->method == RP_DELETE) {
        add_parameter(arena, list, RP_VIEW("If-Match"), "header");
    }
}

static void add_body(struct rp_arena *arena, struct rp_json *operation) {
    struct rp_json *body = rp_json_add_object(arena, operation, "requestBody");
    rp_json_add_bool(arena, body, "required", true);
    struct rp_json *content = rp_json_add_object(arena, body, "content");
    struct rp_json *json = rp_json_add_object(arena, content, "application/json");
    struct rp_json *schema = rp_json_add_object(arena, json, "schema");
    rp_json_add_cstr(arena, schema, "type", "object");
}

static void add_response(struct rp_arena *arena, struct rp_json *responses, const char *status,
                         const char *type, const char *description) {
    struct rp_json *response = rp_json_add_object(arena, responses, status);
    rp_json_add_cstr(arena, response, "description", description);
    struct rp_json *content = rp_json_add_object(arena, response, "content");
    struct rp_json *media = rp_json_add_object(arena, content, type);
    struct rp_json *schema = rp_json_add_object(arena, media, "schema");
    rp_json_add_cstr(arena, schema, "type", "object");
}

static void add_security(struct rp_arena *arena, struct rp_json *operation, enum rp_guard guard) {
    struct rp_json *security = rp_json_add_array(arena, operation, "security");
    if (guard == RP_GUARD_APP) {
        struct rp_json *both = rp_json_add_object(arena, security, NULL);
        rp_json_add_array(arena, both, "appToken");
        rp_json_add_array(arena, both, "assertion");
    } else if (guard == RP_GUARD_SESSION || guard == RP_GUARD_STAFF) {
        struct rp_json *session = rp_json_add_object(arena, security, NULL);
        rp_json_add_array(arena, session, "session");
    }
}

static void add_operation(struct rp_request *request, struct rp_json *paths,
                          const struct rp_route *route) {
    struct rp_arena *arena = request->arena;
    const char *path = rp_arena_cstr(arena, route->path);
    if (!path) {
        return;
    }
    struct rp_json *item = NULL;
    for (struct rp_json *one = paths ? paths->first : NULL; one; one = one->next) {
        item = rp_view_equal(one->key, route->path) ? one : item;
    }
    item = item ? item : rp_json_add_object(arena, paths, path);
    struct rp_json *operation = rp_json_add_object(arena, item, method_names[route->method]);
    rp_json_add_cstr(arena, operation, "operationId", route->operation);
    rp_json_add_cstr(arena, operation, "summary", route->about.s[request->lang]);
    add_parameters(arena, operation, route);
    if (route->method == RP_POST || route->method == RP_PUT) {
        add_body(arena, operation);
    }
    struct rp_json *responses = rp_json_add_object(arena, operation, "responses");
    add_response(arena, responses, route->method == RP_POST ? "201" : "200", "application/json",
                 "ok");
    add_response(arena, responses, "default", "application/problem+json", "RFC 9457");
    add_security(arena, operation, route->guard);
}

static void add_scheme(struct rp_arena *arena, struct rp_json *schemes, const char *name,
                       const char *type, const char *key, const char *value, const char *in) {
    struct rp_json *scheme = rp_json_add_object(arena, schemes, name);
    rp_json_add_cstr(arena, scheme, "type", type);
    rp_json_add_cstr(arena, scheme, key, value);
    if (in) {
        rp_json_add_cstr(arena, scheme, "in", in);
    }
}

rp_err rp_api_openapi(struct rp_request *request) {
    struct rp_arena *arena = request->arena;
    struct rp_json *root = rp_json_object(arena);
    rp_json_add_cstr(arena, root, "openapi", "3.1.0");
    struct rp_json *info = rp_json_add_object(arena, root, "info");
    rp_json_add_cstr(arena, info, "title", "Rempart");
    rp_json_add_cstr(arena, info, "version", "1");
    struct rp_json *paths = rp_json_add_object(arena, root, "paths");
    for (size_t i = 0; i < rp_route_count; i++) {
        if (rp_routes[i].operation[0]) {
            add_operation(request, paths, &rp_routes[i]);
        }
    }
    struct rp_json *components = rp_json_add_object(arena, root, "components");
    rp_register_schemas(arena, request->web->registers, components);
    struct rp_json *schemes = rp_json_add_object(arena, components, "securitySchemes");
    add_scheme(arena, schemes, "appToken", "http", "scheme", "bearer", NULL);
    add_scheme(arena, schemes, "assertion", "apiKey", "name", "Rempart-Assertion", "header");
    add_scheme(arena, schemes, "session", "apiKey", "name", "__Host-rempart", "cookie");
    request->response.cache = "public, max-age=300";
    return rp_api_send(request, 200, root);
}
