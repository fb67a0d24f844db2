/* Debian's Core Rule Set at paranoia level 4 on the requests of its own tests and on mutations of
 * them: the rules that match and the scores that they leave, here and in libmodsecurity.
 *
 * A difference is named in the table below, with its cause, or it fails the test. A third of the
 * corpus is compared each run; REMPART_CRS_PART names another part (0 to PARTS - 1, or
 * "all"): libmodsecurity takes some 10 ms a request.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "both.h"
#include "soup.h"
#include "waf_test.h"

enum { REQUESTS_MAX = 6000, PARTS = 3, MUTATIONS = 1, SCORES_ID = 990000, BROKEN_ID = 990005 };

static const char crs[] =
    "SecRuleEngine DetectionOnly\nSecRequestBodyAccess On\nSecResponseBodyAccess On\n"
    "SecResponseBodyMimeType text/plain text/html text/xml application/json\n"
    "SecRequestBodyLimit 13107200\nSecRequestBodyNoFilesLimit 131072\n"
    "SecRule REQUEST_HEADERS:Content-Type \"@rx ^(?:application(?:/soap\\+|/)|text/)xml\" "
    "\"id:990001,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=XML\"\n"
    "SecRule REQUEST_HEADERS:Content-Type \"@rx ^application/(?:[a-z0-9.-]+[+])?json\" "
    "\"id:990002,phase:1,t:none,t:lowercase,pass,nolog,ctl:requestBodyProcessor=JSON\"\n"
    "SecAction \"id:990003,phase:1,pass,nolog,t:none,setvar:tx.paranoia_level=4,"
    "setvar:tx.crs_validate_utf8_encoding=1,setvar:tx.arg_name_length=100,"
    "setvar:tx.arg_length=400,setvar:tx.max_num_args=255\"\n"
    "SecAction \"id:990004,phase:1,pass,nolog,ctl:forceRequestBodyVariable=On\"\n"
    "Include /etc/modsecurity/crs/crs-setup.conf\n"
    "Include /usr/share/modsecurity-crs/rules/*.conf\n"
    "SecRule REQBODY_ERROR \"@eq 1\" \"id:990005,phase:2,pass,log,msg:'broken'\"\n"
    "SecAction \"id:990000,phase:5,pass,log,msg:'%{tx.anomaly_score} %{tx.anomaly_score_pl1} "
    "%{tx.anomaly_score_pl2} %{tx.anomaly_score_pl3} %{tx.anomaly_score_pl4} "
    "%{tx.sql_injection_score} %{tx.xss_score} %{tx.rfi_score} %{tx.lfi_score} %{tx.rce_score} "
    "%{tx.php_injection_score} %{tx.http_violation_score} %{tx.session_fixation_score}'\"\n";

/* ---- the differences that are meant ---- */

static bool has_hash(const struct waf_message *request) {
    return rp_view_find_byte(request->uri, '#') < request->uri.n;
}

static bool is_multipart(const struct waf_message *request) {
    rp_view type = waf_header_of(request, "Content-Type");
    return rp_view_equal_nocase(rp_view_sub(type, 0, 10), RP_VIEW("multipart/"));
}

static bool has_no_body(const struct waf_message *request) {
    return request->body.n == 0;
}

static bool is_xml(const struct waf_message *request) {
    rp_view type = waf_header_of(request, "Content-Type");
    return rp_view_find(type, RP_VIEW("xml")) < type.n;
}

static const struct known {
    uint64_t id;
    bool (*applies)(const struct waf_message *request); /* NULL = always */
    const char *why;
} known[] = {
    {980130, NULL, "log,noauditlog is not logged at all there"},
    {980140, NULL, "log,noauditlog is not logged at all there"},
    {920460, NULL, "four backslashes, written for Apache, are two there"},
    {941330, NULL, "four backslashes, written for Apache, are two there"},
    {920273, has_hash, "what follows # is no argument there"},
    {920272, is_multipart, "REQUEST_BODY holds multipart bodies there"},
    {920273, is_multipart, "REQUEST_BODY holds multipart bodies there"},
    {921110, is_multipart, "REQUEST_BODY holds multipart bodies there"},
    {922110, is_multipart, "a part's type holds its line's end there, which no charset may"},
    {BROKEN_ID, has_no_body, "no body at all is no broken XML here"},
    {BROKEN_ID, is_xml, "words in an XML declaration are not checked here, texts are looked at"},
    {BROKEN_ID, is_multipart, "an ending without a beginning: a flag of its own here"},
};

/* Their chains look at MATCHED_VARS, which keep what rules before have matched there: such a rule
 * counts more often. */
static bool counts_matched_vars(uint64_t id) {
    return id == 933120 || id == 933151 || id == 944120;
}

/* These only add up what others have said. */
static bool is_sum(uint64_t id) {
    return id == 949110 || id == 959100;
}

static bool is_known(uint64_t id, const struct waf_message *request) {
    for (size_t i = 0; i < RP_COUNT_OF(known); i++) {
        if (known[i].id == id && (!known[i].applies || known[i].applies(request))) {
            return true;
        }
    }
    return false;
}

/* ---- requests ---- */

struct requests {
    struct rp_arena *arena;
    struct waf_message *p;
    const char **titles;
    size_t count;
};

static void add_file(struct requests *all, const char *path) {
    size_t n = 0;
    uint8_t *bytes = unit_file(path, &n);
    rp_view text = {NULL, 0};
    struct waf_test_file file;
    struct rp_diag diag = {0};
    assert_ok(rp_arena_copy(all->arena, rp_view_of(bytes, n), &text));
    test_free(bytes);
    assert_ok(waf_test_read(text, all->arena, &file, &diag));
    for (size_t i = 0; i < file.test_count; i++) {
        for (size_t j = 0; j < file.tests[i].stage_count; j++) {
            assert_true(all->count < REQUESTS_MAX);
            all->titles[all->count] = file.tests[i].title;
            all->p[all->count++] = file.tests[i].stages[j].request;
        }
    }
}

static int is_wanted(const struct dirent *entry) {
    return entry->d_name[0] != '.' && !strstr(entry->d_name, ".py") &&
           !strstr(entry->d_name, ".skeleton");
}

static void add_folder(struct requests *all, const char *path) {
    struct dirent **entries = NULL;
    int count = scandir(path, &entries, is_wanted, alphasort);
    assert_true(count > 0);
    for (int i = 0; i < count; i++) {
        char name[4096];
        struct stat facts;
        snprintf(name, sizeof name, "%s/%s", path, entries[i]->d_name);
        assert_int_equal(stat(name, &facts), 0);
        S_ISDIR(facts.st_mode) ? add_folder(all, name) : add_file(all, name);
        free(entries[i]);
    }
    free(entries);
}

/* What the C API cannot be told: a NUL in the target, another protocol than HTTP. */
static bool can_be_told(const struct waf_message *request) {
    return rp_view_find_byte(request->uri, 0) == request->uri.n &&
           rp_view_starts(request->protocol, RP_VIEW("HTTP/")) && request->method.n > 0;
}

/* The body of another request of the same kind, or a byte changed in target or body. */
static struct waf_message mutated(const struct requests *all, size_t at, uint64_t *seed) {
    struct waf_message request = all->p[at];
    const struct waf_message *other = &all->p[soup_next(seed) % all->count];
    rp_view *text = request.body.n > 0 && soup_next(seed) % 2 ? &request.body : &request.uri;
    uint8_t *bytes = rp_arena_alloc(all->arena, text->n + other->body.n + 1);
    assert_non_null(bytes);
    memcpy(bytes, text->p, text->n);
    size_t n = text->n;
    if (text == &request.body && other->body.n > 0 && soup_next(seed) % 2) {
        memcpy(bytes + n, other->body.p, other->body.n);
        n += other->body.n;
    }
    size_t place = 1 + soup_next(seed) % RP_MAX(n, 1);
    if (place < n) {
        static const char signs[] = "'\"<>;(){}|&%$\\/=+ ._-az09A";
        bytes[place] = (uint8_t)signs[soup_next(seed) % (sizeof signs - 1)];
    }
    *text = rp_view_of(bytes, n);
    return request;
}

/* ---- comparing ---- */

static int by_number(const void *a, const void *b) {
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static size_t ids_of(const struct both_log *log, uint64_t ids[static BOTH_LINES_MAX],
                     rp_view *ret_scores) {
    size_t n = 0, kept = 0;
    for (size_t i = 0; i < log->count; i++) {
        if (log->lines[i].id == SCORES_ID) {
            *ret_scores = log->lines[i].message;
        } else {
            ids[n++] = log->lines[i].id;
        }
    }
    qsort(ids, n, sizeof *ids, by_number);
    for (size_t i = 0; i < n; i++) {
        if (kept == 0 || ids[kept - 1] != ids[i]) {
            ids[kept++] = ids[i];
        }
    }
    return kept;
}

struct difference {
    size_t meant, sums, wrong;
    bool broken; /* the body is: what could be read of it stays here, for rules */
    struct rp_buf text;
};

/* Those of a that b has not. */
static void add_missing(struct difference *difference, const char *where,
                        const struct waf_message *request, const uint64_t *a, size_t a_n,
                        const uint64_t *b, size_t b_n) {
    for (size_t i = 0; i < a_n; i++) {
        if (bsearch(&a[i], b, b_n, sizeof *b, by_number)) {
            continue;
        }
        if (is_known(a[i], request) || (difference->broken && a[i] != BROKEN_ID)) {
            difference->meant += a[i] / 10000 != 98; /* which come after the scores */
        } else if (is_sum(a[i])) {
            difference->sums++;
        } else {
            difference->wrong++;
        }
        rp_buf_printf(&difference->text, " %s:%llu", where, (unsigned long long)a[i]);
    }
}

static bool is_same(struct both *both, const char *title, const struct waf_message *request) {
    static struct both_log ours, theirs;
    static uint64_t here[BOTH_LINES_MAX], there[BOTH_LINES_MAX];
    rp_view scores[2] = {{NULL, 0}, {NULL, 0}};
    struct difference difference = {.text = rp_buf_new(65536)};
    both_judge(both, request, NULL, &ours, &theirs);
    size_t here_n = ids_of(&ours, here, &scores[0]), there_n = ids_of(&theirs, there, &scores[1]);
    bool may_count = is_multipart(request);
    for (size_t i = 0; i < here_n; i++) {
        difference.broken = difference.broken || here[i] == BROKEN_ID;
        may_count = may_count || counts_matched_vars(here[i]);
    }
    for (size_t i = 0; i < there_n; i++) {
        difference.broken = difference.broken || there[i] == BROKEN_ID;
    }
    add_missing(&difference, "here", request, here, here_n, there, there_n);
    add_missing(&difference, "there", request, there, there_n, here, here_n);
    bool same = difference.wrong == 0 && scores[0].n > 0;
    if (difference.meant == 0 && !difference.broken && !may_count) {
        same = same && difference.sums == 0 && rp_view_equal(scores[0], scores[1]);
    }
    if (!same) {
        print_error("%s:%.*s [%.*s] [%.*s] %.*s %.*s\n", title,
                    RP_FMT(rp_buf_view(&difference.text)), RP_FMT(scores[0]), RP_FMT(scores[1]),
                    RP_FMT(rp_view_sub(request->uri, 0, 100)),
                    RP_FMT(rp_view_sub(request->body, 0, 100)));
    }
    rp_buf_done(&difference.text);
    return same;
}

static void test_crs(void **state) {
    const char *folder = unit_corpora("crs-3.3.4/tests"), *part = getenv("REMPART_CRS_PART");
    struct stat facts;
    (void)state;
    if (!folder || stat("/usr/share/modsecurity-crs/rules", &facts) != 0) {
        skip();
    }
    struct both both = both_open(crs);
    struct requests all = {.arena = rp_arena_new((size_t)256 << 20)};
    all.p = rp_arena_array(all.arena, REQUESTS_MAX, sizeof *all.p);
    all.titles = rp_arena_array(all.arena, REQUESTS_MAX, sizeof *all.titles);
    add_folder(&all, folder);
    bool whole = part && strcmp(part, "all") == 0;
    size_t wrong = 0, compared = 0;
    uint64_t asked = 0;
    if (part && !whole) {
        assert_true(rp_view_to_u64(rp_view_from_cstr(part), PARTS - 1, &asked));
    }
    for (size_t i = 0; i < all.count; i++) {
        uint64_t seed = i + 1;
        if (!can_be_told(&all.p[i]) || (!whole && i % PARTS != asked)) {
            continue;
        }
        wrong += !is_same(&both, all.titles[i], &all.p[i]);
        for (unsigned j = 0; j < MUTATIONS; j++, compared++) {
            struct waf_message other = mutated(&all, i, &seed);
            wrong += !is_same(&both, all.titles[i], &other);
        }
        compared++;
    }
    print_message("# %zu requests compared\n", compared);
    both_close(&both);
    rp_arena_free(all.arena);
    assert_int_equal(wrong, 0);
    assert_true(compared > 500);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_crs)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
