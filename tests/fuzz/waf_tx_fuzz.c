/* A request from anybody and its response, through all five phases: by a small set of rules with
 * every operator and transformation, and by Debian's rule set where it is installed.
 *
 * The first byte chooses: bit 0 the rule set, bit 1 a small budget, bit 2 blocking. Then a line
 * "METHOD URI PROTOCOL", lines "Name: value", an empty line, the body, which is answered as well.
 */
#include <unistd.h>

#include "base/checked.h"
#include "fuzz.h"
#include "shield/compile_io.h"
#include "shield/shield.h"

enum { ARENA = 128 << 20, SMALL_BUDGET = 20000, SLACK_A_BYTE = 4000, SLACK = 4 << 20 };

/* ---- the rules ---- */

static const char *const operators[] = {"@rx (?i)(a+)b",
                                        "@rxGlobal ([0-9])",
                                        "@pm select union alert(",
                                        "@pmFromFile words",
                                        "@streq a",
                                        "@strmatch ab",
                                        "@contains ab",
                                        "@containsWord or",
                                        "@beginsWith a",
                                        "@endsWith b",
                                        "@within abc def",
                                        "@eq 1",
                                        "@ge 2",
                                        "@gt 3",
                                        "@le 4",
                                        "@lt 5",
                                        "@ipMatch 192.0.2.0/24,2001:db8::/32",
                                        "@ipMatchFromFile networks",
                                        "@detectSQLi",
                                        "@detectXSS",
                                        "@validateByteRange 32-126",
                                        "@validateUrlEncoding",
                                        "@validateUtf8Encoding",
                                        "@verifyCC \\d{13,16}",
                                        "@verifySSN \\d{3}-?\\d{2}-?\\d{4}",
                                        "@verifyCPF \\d{11}",
                                        "@verifySVNR \\d{10}",
                                        "@unconditionalMatch",
                                        "@noMatch",
                                        "@geoLookup",
                                        "@rbl example.org",
                                        "@streq %{tx.1}"};

static const char *const transformations[] = {
#define RP_TRANSFORM(NAME, name) name,
#include "shield/transforms.def"
#undef RP_TRANSFORM
};

#define EVERYTHING                                                                                 \
    "ARGS|ARGS_NAMES|REQUEST_HEADERS|REQUEST_COOKIES|REQUEST_URI_RAW|REQUEST_BODY|XML:/*|"         \
    "XML://@*|FILES|FILES_NAMES|MULTIPART_PART_HEADERS|REQBODY_ERROR_MSG"

static void write_rules(struct rp_buf *text) {
    unsigned id = 100;
    rp_buf_add_cstr(
        text, "SecRuleEngine On\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n"
              "SecResponseBodyMimeType text/html\nSecArgumentsLimit 100\n"
              "SecRequestBodyJsonDepthLimit 50\n"
              "SecDefaultAction \"phase:2,log,pass\"\n"
              "SecAction \"id:1,phase:1,pass,nolog,initcol:ip=%{REMOTE_ADDR},setvar:tx.score=0\"\n"
              "SecRule REQUEST_HEADERS:Content-Type \"@contains json\" "
              "\"id:2,phase:1,pass,nolog,ctl:requestBodyProcessor=JSON\"\n"
              "SecRule REQUEST_HEADERS:Content-Type \"@contains xml\" "
              "\"id:3,phase:1,pass,nolog,ctl:requestBodyProcessor=XML\"\n"
              "SecRule REQUEST_HEADERS:X \"@rx ^force\" "
              "\"id:4,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On\"\n"
              "SecRule ARGS_NAMES \"@rx ^skip\" \"id:5,phase:2,pass,nolog,skipAfter:END\"\n");
    for (size_t i = 0; i < RP_COUNT_OF(operators); i++) {
        rp_buf_printf(text,
                      "SecRule " EVERYTHING " \"%s\" \"id:%u,phase:2,pass,log,capture,"
                      "msg:'%%{MATCHED_VAR_NAME}',logdata:'%%{TX.0} %%{MATCHED_VAR}',"
                      "setvar:'tx.score=+1',setvar:'tx.%%{MATCHED_VAR_NAME}=%%{TX.1}'\"\n",
                      operators[i], id++);
    }
    for (size_t i = 0; i < RP_COUNT_OF(transformations); i++) {
        rp_buf_printf(text,
                      "SecRule " EVERYTHING " \"@rx [a-c]{2,}.*?[0-9]\" \"id:%u,phase:2,pass,log,"
                      "t:none,t:urlDecodeUni,t:%s,setvar:'tx.score=+1'\"\n"
                      "SecRule ARGS|XML:/* \"@detectSQLi\" \"id:%u,phase:2,pass,multiMatch,"
                      "t:none,t:%s,t:lowercase\"\n",
                      id, transformations[i], id + 1, transformations[i]);
        id += 2;
    }
    rp_buf_add_cstr(
        text,
        "SecRule ARGS:a \"@rx ^(.)\" \"id:10,phase:2,deny,status:403,chain,capture\"\n"
        "  SecRule ARGS:/^b/ \"@streq %{tx.1}\" \"chain\"\n"
        "  SecRule &ARGS \"@gt 1\" \"t:none,setvar:'ip.seen=+1',expirevar:'ip.seen=60'\"\n"
        "SecMarker END\n"
        "SecRule TX:score \"@gt 20\" \"id:11,phase:2,block\"\n"
        "SecRule RESPONSE_HEADERS|RESPONSE_STATUS \"@rx [5-9]\" \"id:12,phase:3,pass,log\"\n"
        "SecRule RESPONSE_BODY \"@rx (?i)error|exception\" \"id:13,phase:4,deny,t:lowercase\"\n"
        "SecRule TX:/./ \"@unconditionalMatch\" \"id:14,phase:5,pass,log\"\n");
}

static rp_err read_one(void *ctx, rp_view from, rp_view path, struct rp_arena *arena,
                       rp_view *ret_bytes, rp_view *ret_path) {
    const struct rp_buf *text = ctx;
    (void)arena;
    *ret_bytes = from.n == 0                             ? rp_buf_view(text)
                 : rp_view_equal(path, RP_VIEW("words")) ? RP_VIEW("passwd\n# no\nunion all\n\xff")
                                                         : RP_VIEW("192.0.2.1\n2001:db8::/48\n");
    *ret_path = path;
    return RP_OK;
}

static rp_err list_none(void *ctx, rp_view from, rp_view pattern, struct rp_arena *arena,
                        rp_view **ret_paths, size_t *ret_count) {
    (void)ctx;
    (void)from;
    (void)pattern;
    (void)arena;
    *ret_paths = NULL;
    *ret_count = 0;
    return RP_OK;
}

/* Stays until the process ends: both rule sets are compiled once. */
static const struct rp_waf *compiled(const struct rp_waf_loader *loader, rp_view file) {
    struct rp_arena *arena = rp_arena_new((size_t)1 << 30);
    static struct rp_buf images[2];
    static size_t image_count;
    struct rp_waf_ruleset set;
    struct rp_waf_place place = {{NULL, 0}};
    struct rp_diag diag = {0};
    struct rp_waf *waf = NULL;
    struct rp_buf *image = &images[image_count++];
    *image = rp_buf_new((size_t)1 << 28);
    FUZZ_CHECK(rp_ok(rp_seclang_read(loader, &file, 1, arena, &set, &place, &diag)));
    FUZZ_CHECK(rp_ok(rp_waf_compile(&set, arena, image, &place, &diag)));
    FUZZ_CHECK(rp_ok(rp_waf_open(rp_buf_view(image), &waf, &diag)));
    rp_arena_free(arena);
    return waf;
}

static const struct rp_waf *rule_set(bool debian) {
    static const struct rp_waf *own, *crs;
    const char *path = "/usr/share/modsecurity-crs/owasp-crs.load";
    if (!own) {
        struct rp_buf text = rp_buf_new(1 << 20);
        write_rules(&text);
        struct rp_waf_loader loader = {.ctx = &text, .read = read_one, .glob = list_none};
        own = compiled(&loader, RP_VIEW("main.conf"));
        rp_buf_done(&text);
        if (access(path, R_OK) == 0) {
            struct rp_waf_loader disk = rp_waf_disk_loader();
            crs = compiled(&disk, rp_view_from_cstr(path));
        }
    }
    return debian && crs ? crs : own;
}

/* ---- a transaction ---- */

struct request {
    rp_view method, uri, protocol, head, body;
};

static struct request request_of(rp_view bytes) {
    struct request request;
    rp_view line = rp_view_cut(&bytes, '\n');
    request.method = rp_view_cut(&line, ' ');
    request.uri = rp_view_cut(&line, ' ');
    request.protocol = line;
    size_t end = rp_view_find(bytes, RP_VIEW("\n\n"));
    request.head = rp_view_sub(bytes, 0, end);
    request.body = rp_view_from(bytes, end + 2);
    return request;
}

static rp_err in_full(struct rp_waf_tx *tx, rp_err err) {
    return rp_ok(err) && rp_waf_tx_is_paused(tx) ? rp_waf_tx_go_on(tx) : err;
}

static rp_err request_phases(struct rp_waf_tx *tx, struct request request) {
    RP_TRY(rp_waf_tx_line(tx, request.method, request.uri, request.protocol));
    while (request.head.n > 0) {
        rp_view value = rp_view_cut(&request.head, '\n');
        rp_view name = rp_view_cut(&value, ':');
        RP_TRY(rp_waf_tx_header(tx, name, rp_view_trim(value)));
    }
    RP_TRY(in_full(tx, rp_waf_tx_headers_done(tx)));
    size_t half = request.body.n / 2;
    RP_TRY(rp_waf_tx_body(tx, rp_view_sub(request.body, 0, half)));
    RP_TRY(rp_waf_tx_body(tx, rp_view_from(request.body, half)));
    return in_full(tx, rp_waf_tx_body_done(tx));
}

static rp_err response_phases(struct rp_waf_tx *tx, struct request request) {
    RP_TRY(rp_waf_tx_response(tx, 200, RP_VIEW("HTTP/1.1")));
    RP_TRY(rp_waf_tx_response_header(tx, RP_VIEW("Content-Type"), RP_VIEW("text/html")));
    RP_TRY(rp_waf_tx_response_headers_done(tx));
    RP_TRY(rp_waf_tx_response_body(tx, request.body));
    return rp_waf_tx_response_body_done(tx);
}

static void write_variable(void *ctx, rp_view name, rp_view value) {
    rp_buf_add(ctx, name);
    rp_buf_add_byte(ctx, '=');
    rp_buf_add(ctx, value);
    rp_buf_add_byte(ctx, '\n');
}

static void check_verdict(const struct rp_waf_verdict *verdict, const struct rp_waf_site *site,
                          size_t n) {
    FUZZ_CHECK(verdict->steps <= site->budget + SLACK + SLACK_A_BYTE * n);
    FUZZ_CHECK(verdict->action == RP_WAF_PASS || verdict->would_block);
    FUZZ_CHECK(site->mode == RP_WAF_ON || verdict->action == RP_WAF_PASS);
    FUZZ_CHECK(!verdict->over_budget || !site->over_budget_blocks || verdict->would_block);
}

/* All that can be seen of a transaction, as text; the steps only where nothing is left from before
 * that would spare some. False when it went over its budget. */
static bool judge(const struct rp_waf *waf, const struct rp_waf_site *site, struct request request,
                  struct rp_arena *arena, struct rp_buf *seen) {
    struct rp_waf_connection connection = {.client_address = RP_VIEW("192.0.2.7"),
                                           .server_address = RP_VIEW("192.0.2.1"),
                                           .server_name = RP_VIEW("example.org"),
                                           .unique_id = RP_VIEW("1"),
                                           .now_ms = 1700000000000};
    struct rp_waf_tx *tx = NULL;
    rp_err err = rp_waf_tx_new(waf, site, &connection, arena, &tx);
    FUZZ_CHECK(rp_ok(err));
    err = request_phases(tx, request);
    err = rp_ok(err) ? response_phases(tx, request) : err;
    err = rp_ok(err) ? rp_waf_tx_logging(tx) : err;
    FUZZ_CHECK(rp_ok(err) || rp_is(err, RP_E_TOO_LARGE));
    const struct rp_waf_verdict *verdict = rp_waf_tx_verdict(tx);
    check_verdict(verdict, site, request.head.n + request.body.n + request.uri.n);
    rp_buf_printf(seen, "%d %d %d %u %llu %llu %llu\n", err.code, verdict->action,
                  verdict->would_block, verdict->status, (unsigned long long)verdict->rule,
                  (unsigned long long)verdict->over_budget_rule,
                  site->kept ? 0ULL : (unsigned long long)verdict->steps);
    size_t count = 0, dropped = 0;
    const struct rp_waf_match *matches = rp_waf_tx_matches(tx, &count, &dropped);
    FUZZ_CHECK(count <= RP_WAF_MATCHES_MAX);
    for (size_t i = 0; i < count; i++) {
        rp_buf_printf(seen, "%llu ", (unsigned long long)matches[i].id);
        write_variable(seen, matches[i].variable, matches[i].value);
        write_variable(seen, matches[i].message, matches[i].log_data);
    }
    rp_ignore(rp_waf_tx_each(tx, RP_VAR_TX, write_variable, seen)); /* TOO_LARGE: none is seen */
    bool within = !verdict->over_budget;
    rp_waf_tx_done(tx);
    return within;
}

/* What transactions on a seat leave to each other changes nothing that can be seen. */
/* A clock that makes long texts be searched in the smallest portions, and charges nothing. */
static uint64_t hurried_ns(void) {
    static uint64_t now_ns;
    return now_ns += 1000000;
}

static uint64_t nothing_ns(void) {
    return 0;
}

static const struct rp_waf_clock hurried = {hurried_ns, nothing_ns};

static void judge_on_a_seat(const struct rp_waf *waf, struct rp_waf_site site,
                            struct request request, struct request other, struct rp_arena *arena) {
    struct request requests[] = {request, other, request, request};
    struct rp_buf seen[RP_COUNT_OF(requests)];
    bool within = true;
    site.kept = rp_waf_kept_new();
    FUZZ_CHECK(site.kept != NULL);
    for (size_t i = 0; i < RP_COUNT_OF(requests); i++) {
        seen[i] = rp_buf_new(64 << 20);
        rp_arena_reset(arena);
        site.portion = i == 3; /* the last with a pause, and in portions */
        site.clock = i == 3 ? &hurried : NULL;
        within = judge(waf, &site, requests[i], arena, &seen[i]) && within;
    }
    FUZZ_CHECK(!within || (rp_view_equal(rp_buf_view(&seen[0]), rp_buf_view(&seen[2])) &&
                           rp_view_equal(rp_buf_view(&seen[0]), rp_buf_view(&seen[3]))));
    for (size_t i = 0; i < RP_COUNT_OF(requests); i++) {
        rp_buf_done(&seen[i]);
    }
    rp_waf_kept_free(site.kept);
}

int LLVMFuzzerInitialize(int *argc, char ***argv);

/* Before the clock of the first input runs. */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    (void)rule_set(true);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n) {
    if (n == 0) {
        return 0;
    }
    const struct rp_waf *waf = rule_set(data[0] & 1);
    struct rp_waf_site site = {.mode = data[0] & 4 ? RP_WAF_ON : RP_WAF_DETECT,
                               .budget = data[0] & 2 ? SMALL_BUDGET : 2000000,
                               .over_budget_blocks = true};
    struct request request = request_of(rp_view_of(data + 1, n - 1));
    struct request other = {.method = RP_VIEW("POST"),
                            .uri = RP_VIEW("/?a=1&b=1&skip=union"),
                            .protocol = RP_VIEW("HTTP/1.1"),
                            .head = RP_VIEW("Content-Type: application/json\nCookie: a=b\n"
                                            "Accept: text/html;q=0.9\nHost: example.org"),
                            .body = RP_VIEW("{\"a\":\"<script>alert(1)</script>\"}")};
    struct rp_arena *arena = rp_arena_new(ARENA);
    struct rp_buf first = rp_buf_new(64 << 20), between = rp_buf_new(64 << 20),
                  again = rp_buf_new(64 << 20);
    (void)judge(waf, &site, request, arena, &first);
    rp_arena_reset(arena);
    (void)judge(waf, &site, other, arena, &between);
    rp_arena_reset(arena);
    (void)judge(waf, &site, request, arena, &again);
    /* Nothing of one transaction is left in the next. */
    FUZZ_CHECK(rp_view_equal(rp_buf_view(&first), rp_buf_view(&again)));
    judge_on_a_seat(waf, site, request, other, arena);
    rp_buf_done(&first);
    rp_buf_done(&between);
    rp_buf_done(&again);
    rp_arena_free(arena);
    return 0;
}
