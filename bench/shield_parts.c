/* shield_parts.c — what the firewall's leaf parts cost: nanoseconds a byte and a value, on values
 * as honest traffic has them. Needs Debian's modsecurity-crs for the prefilter's and the phrases'
 * lines. */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/checked.h"
#include "bench.h"
#include "shield/body.h"
#include "shield/compile_io.h"
#include "shield/injection.h"
#include "shield/literals.h"
#include "shield/literals_format.h"
#include "shield/phrases.h"

enum { VALUES = 800, RULES_MAX = 2048, ROUNDS = 15, TIMES = 200 };

struct parts {
    rp_view values[VALUES];
    size_t bytes;
    struct rp_byte_set sets[VALUES];
    struct rp_needs needs[RULES_MAX];
    size_t rule_count;
    struct rp_buf literals;
    struct rp_literals prefilter; /* of the literals */
    struct rp_buf phrases[RULES_MAX];
    size_t phrase_lists;
    size_t candidates, sink;
    struct rp_arena *arena;
};

/* Names and values of 400 JSON fields: words, numbers, dates, sentences; about 15 KB. */
static void fill_values(struct parts *p) {
    static const char *const names[] = {
        "id",         "name",           "created_at",       "description", "quantity",
        "unit_price", "customer_email", "shipping_address", "status"};
    static const char *const texts[] = {
        "8f14e45f-ceea-467f-a0e6-2b1c9d3e7a55",
        "Marguerite Duras",
        "2026-11-24T19:52:38Z",
        "The meeting is moved to Thursday; please bring the signed copy.",
        "12",
        "1499.90",
        "marguerite.d@example.org",
        "14 rue des Lilas, 69003 Lyon",
        "pending"};
    for (size_t i = 0; i < VALUES; i++) {
        size_t row = i / 2 % RP_COUNT_OF(names);
        p->values[i] = rp_view_from_cstr(i % 2 == 0 ? names[row] : texts[row]);
        p->bytes += p->values[i].n;
        p->sets[i] = rp_byte_set_of(p->values[i]);
    }
}

static void add_rule(struct parts *p, const struct rp_waf_rule *rule) {
    bool fixed = rule->argument.count == 1 && rule->argument.pieces[0].literal;
    if (rule->marker || rule->unconditional || p->rule_count == RULES_MAX) {
        return;
    }
    if (rule->op == RP_OP_RX && fixed) {
        BENCH_OK(rp_literals_of_pattern(rule->argument.pieces[0].text, p->arena,
                                        &p->needs[p->rule_count++]));
    } else if (rule->op == RP_OP_PM || rule->op == RP_OP_PM_FROM_FILE) {
        BENCH_OK(rp_literals_of_phrases(rule->phrases, rule->phrase_count, p->arena,
                                        &p->needs[p->rule_count++]));
        struct rp_buf *list = &p->phrases[p->phrase_lists++];
        *list = rp_buf_new(64 << 20);
        BENCH_OK(rp_phrases_build(rule->phrases, rule->phrase_count, p->arena, list));
    }
}

static bool read_rules(struct parts *p) {
    rp_view file = RP_VIEW("/usr/share/modsecurity-crs/owasp-crs.load");
    struct rp_waf_loader loader = rp_waf_disk_loader();
    struct rp_waf_ruleset set = {0};
    struct rp_waf_place place = {0};
    if (access((const char *)file.p, R_OK) != 0) {
        return false;
    }
    BENCH_OK(rp_seclang_read(&loader, &file, 1, p->arena, &set, &place, NULL));
    for (size_t i = 0; i < set.rule_count; i++) {
        add_rule(p, &set.rules[i]);
    }
    p->literals = rp_buf_new(64 << 20);
    BENCH_OK(rp_literals_build(p->needs, p->rule_count, p->arena, &p->literals));
    p->prefilter = rp_literals_at((const void *)p->literals.p, p->literals.p);
    return true;
}

/* ---- the work ---- */

static void scan_literals(struct parts *p) {
    p->candidates = 0;
    for (size_t i = 0; i < VALUES; i++) {
        uint64_t bits[RULES_MAX / 64] = {0};
        rp_literals_look(&p->prefilter, p->values[i], &p->sets[i], bits); /* as the engine does */
        for (size_t word = 0; word < (p->rule_count + 63) / 64; word++) {
            p->candidates += (size_t)__builtin_popcountll(bits[word]);
        }
    }
}

static void find_phrases(struct parts *p) {
    for (size_t list = 0; list < p->phrase_lists; list++) {
        for (size_t i = 0; i < VALUES; i++) {
            rp_view found;
            p->sink += rp_phrases_find(rp_buf_view(&p->phrases[list]), p->values[i], &found);
        }
    }
}

static void make_sets(struct parts *p) {
    for (size_t i = 0; i < VALUES; i++) {
        p->sink += rp_byte_set_of(p->values[i]).bits[1] & 1;
    }
}

static void apply_pipeline(struct parts *p) {
    static const enum rp_transform pipeline[] = {RP_T_UTF8_TO_UNICODE,    RP_T_URL_DECODE_UNI,
                                                 RP_T_HTML_ENTITY_DECODE, RP_T_JS_DECODE,
                                                 RP_T_CSS_DECODE,         RP_T_LOWERCASE};
    for (size_t i = 0; i < VALUES; i++) {
        for (size_t t = 0; t < RP_COUNT_OF(pipeline); t++) {
            if (rp_transform_touches(pipeline[t], &p->sets[i])) {
                rp_view out;
                BENCH_OK(rp_transform_apply(pipeline[t], p->values[i], NULL, p->arena, &out));
                p->sink += out.n;
            }
        }
    }
    rp_arena_reset(p->arena);
}

/* ---- bodies ---- */

static void json_body(struct rp_buf *out) {
    rp_buf_add_cstr(out, "{\"orders\":[");
    for (int i = 0; i < 40; i++) {
        rp_buf_printf(out,
                      "%s{\"id\":%d,\"uuid\":\"8f14e45f-ceea-467f-a0e6-2b1c9d3e7a55\","
                      "\"name\":\"Marguerite Duras\",\"created_at\":\"2026-11-24T19:52:38Z\","
                      "\"quantity\":12,\"unit_price\":1499.90,\"email\":\"m.d@example.org\","
                      "\"paid\":true,\"note\":null,\"status\":\"pending\"}",
                      i > 0 ? "," : "", i);
    }
    rp_buf_add_cstr(out, "]}");
}

static void form_body(struct rp_buf *out) {
    for (int i = 0; i < 38; i++) {
        rp_buf_printf(out, "%sfield_%d=value+with%%20text_%d", i > 0 ? "&" : "", i, i);
    }
}

static void multipart_body(struct rp_buf *out) {
    for (int i = 0; i < 20; i++) {
        rp_buf_printf(out,
                      "--bb\r\nContent-Disposition: form-data; name=\"field_%d\"\r\n\r\n"
                      "A value of some length\r\n",
                      i);
    }
    rp_buf_add_cstr(out, "--bb--\r\n");
}

static void xml_body(struct rp_buf *out) {
    rp_buf_add_cstr(out, "<orders>");
    for (int i = 0; i < 40; i++) {
        rp_buf_printf(out,
                      "<order id=\"%d\"><name>Marguerite Duras</name><date>2026-11-24</date>"
                      "<note>A longer text with &amp; in it, as people write.</note></order>\n",
                      i);
    }
    rp_buf_add_cstr(out, "</orders>");
}

/* One body, in one piece as the transaction hands it in; its leaves are counted. */
static size_t read_body(struct parts *p, enum rp_body_kind kind, rp_view bytes) {
    struct rp_body_limits limits = RP_BODY_LIMITS;
    const struct rp_body_result *result = NULL;
    rp_arena_reset(p->arena);
    struct rp_body *body =
        rp_body_new(kind, RP_VIEW("multipart/form-data; boundary=bb"), &limits, p->arena);
    BENCH_OK(body ? rp_body_feed(body, bytes) : RP_ERR(TOO_LARGE));
    BENCH_OK(rp_body_end(body, &result));
    return result->arguments.n + result->texts.n + result->attributes.n;
}

/* ---- injections, beside libinjection itself ---- */

typedef int original_sqli(const char *text, size_t n, char *ret_fingerprint);
typedef int original_xss(const char *text, size_t n);
static original_sqli *their_sqli;
static original_xss *their_xss;

static bool open_original(void) {
    void *library = dlopen("libmodsecurity.so.3", RTLD_NOW | RTLD_LOCAL);
    if (library == NULL) {
        return false;
    }
    void *symbol = dlsym(library, "libinjection_sqli");
    memcpy(&their_sqli, &symbol, sizeof their_sqli);
    symbol = dlsym(library, "libinjection_xss");
    memcpy(&their_xss, &symbol, sizeof their_xss);
    return their_sqli != NULL && their_xss != NULL;
}

/* Names, values, and what a browser sends: some have quotes, markup, signs. */
static const char *const browsed[] = {
    "created_at",
    "marguerite.d@example.org",
    "8f14e45f-ceea-467f-a0e6-2b1c9d3e7a55",
    "The meeting is moved to Thursday; please bring the signed copy.",
    "1499.90",
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 "
    "Safari/537.36",
    "https://example.org/path?a=1&b=2",
    "it's a dog's life",
    "<p>Hello <b>world</b></p>",
};

#define EACH_BROWSED(expression)                                                                   \
    for (size_t i = 0; i < VALUES; i++) {                                                          \
        const char *text = browsed[i % RP_COUNT_OF(browsed)];                                      \
        size_t n = strlen(text);                                                                   \
        p->sink += (size_t)(expression);                                                           \
    }

static void our_sqli(struct parts *p) {
    char print[8];
    EACH_BROWSED(rp_detect_sqli(rp_view_of(text, n), print))
}

static void original_sqli_all(struct parts *p) {
    char print[8];
    EACH_BROWSED(their_sqli(text, n, print))
}

static void our_xss(struct parts *p) {
    EACH_BROWSED(rp_detect_xss(rp_view_of(text, n)))
}

static void original_xss_all(struct parts *p) {
    EACH_BROWSED(their_xss(text, n))
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static int by_size(const void *a, const void *b) {
    double left = *(const double *)a;
    double right = *(const double *)b;
    return left < right ? -1 : left > right ? 1 : 0;
}

static double time_of(struct parts *p, void (*work)(struct parts *p)) {
    double start = seconds();
    for (size_t i = 0; i < TIMES; i++) {
        work(p);
    }
    return (seconds() - start) / TIMES;
}

static void measure(struct parts *p, const char *name, void (*work)(struct parts *p)) {
    double times[ROUNDS];
    for (size_t round = 0; round < ROUNDS; round++) {
        times[round] = time_of(p, work);
    }
    qsort(times, ROUNDS, sizeof times[0], by_size);
    double median = times[ROUNDS / 2];
    printf("%s ours=%.1f peer=- ratio=- (microseconds for %d values of %zu bytes; %.2f ns a byte; "
           "%.1f to %.1f in %d rounds)\n",
           name, median * 1e6, VALUES, p->bytes, median * 1e9 / (double)p->bytes, times[0] * 1e6,
           times[ROUNDS - 1] * 1e6, ROUNDS);
}

static void measure_body(struct parts *p, const char *name, enum rp_body_kind kind,
                         void (*write)(struct rp_buf *out)) {
    double times[ROUNDS];
    struct rp_buf text = rp_buf_new(1 << 20);
    write(&text);
    size_t leaves = read_body(p, kind, rp_buf_view(&text));
    for (size_t round = 0; round < ROUNDS; round++) {
        double start = seconds();
        for (size_t i = 0; i < TIMES; i++) {
            p->sink += read_body(p, kind, rp_buf_view(&text));
        }
        times[round] = (seconds() - start) / TIMES;
    }
    qsort(times, ROUNDS, sizeof times[0], by_size);
    double median = times[ROUNDS / 2];
    printf(
        "%s ours=%.1f peer=- ratio=- (microseconds for %zu bytes with %zu values; %.2f ns a byte, "
        "%.0f MB a second; %.1f to %.1f in %d rounds)\n",
        name, median * 1e6, text.n, leaves, median * 1e9 / (double)text.n,
        (double)text.n / median / 1e6, times[0] * 1e6, times[ROUNDS - 1] * 1e6, ROUNDS);
    rp_buf_done(&text);
}

/* Ours and theirs in turns. */
static void compare(struct parts *p, const char *name, void (*ours)(struct parts *p),
                    void (*theirs)(struct parts *p)) {
    double our_times[ROUNDS];
    double their_times[ROUNDS];
    double ratios[ROUNDS];
    for (size_t round = 0; round < ROUNDS; round++) {
        our_times[round] = time_of(p, ours);
        their_times[round] = time_of(p, theirs);
        ratios[round] = their_times[round] / our_times[round];
    }
    qsort(our_times, ROUNDS, sizeof our_times[0], by_size);
    qsort(their_times, ROUNDS, sizeof their_times[0], by_size);
    qsort(ratios, ROUNDS, sizeof ratios[0], by_size);
    printf(
        "%s ours=%.0f peer=%.0f ratio=%.2f (nanoseconds a value, libinjection of libmodsecurity; "
        "%.2f to %.2f in %d rounds)\n",
        name, our_times[ROUNDS / 2] * 1e9 / VALUES, their_times[ROUNDS / 2] * 1e9 / VALUES,
        ratios[ROUNDS / 2], ratios[0], ratios[ROUNDS - 1], ROUNDS);
}

int main(void) {
    static struct parts parts;
    struct parts *p = &parts;
    p->arena = rp_arena_new((size_t)1 << 30);
    fill_values(p);
    if (read_rules(p)) {
        measure(p, "shield-literals", scan_literals);
        printf(
            "shield-candidates ours=%.2f peer=100 ratio=- (percent of %zu rules left to ask; a set "
            "of %zu bytes)\n",
            100.0 * (double)p->candidates / (double)(VALUES * p->rule_count), p->rule_count,
            p->literals.n);
        measure(p, "shield-phrases-all-lists", find_phrases);
    } else {
        fprintf(stderr, "shield-literals: needs Debian's modsecurity-crs\n");
    }
    measure(p, "shield-byte-sets", make_sets);
    measure(p, "shield-transforms", apply_pipeline);
    measure_body(p, "shield-body-json", RP_BODY_JSON, json_body);
    measure_body(p, "shield-body-form", RP_BODY_URLENCODED, form_body);
    measure_body(p, "shield-body-multipart", RP_BODY_MULTIPART, multipart_body);
    measure_body(p, "shield-body-xml", RP_BODY_XML, xml_body);
    if (open_original()) {
        compare(p, "sqli", our_sqli, original_sqli_all);
        compare(p, "xss", our_xss, original_xss_all);
    } else {
        fprintf(stderr, "sqli, xss: need Debian's libmodsecurity3\n");
    }
    return p->sink == 0;
}
