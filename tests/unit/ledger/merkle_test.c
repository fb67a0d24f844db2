#include "ledger/merkle.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/checked.h"
#include "unit.h"
#include "wire/encode.h"
#include "wire/json.h"

enum { LEAVES = 70 };

/* A whole tree in memory: the slow and obvious one. */
struct forest {
    rp_hash leaves[LEAVES];
};

static rp_hash plain_root(const rp_hash *leaves, uint64_t n) {
    if (n == 0) {
        return rp_merkle_empty();
    }
    if (n == 1) {
        return leaves[0];
    }
    uint64_t half = 1;
    while (half * 2 < n) {
        half *= 2;
    }
    rp_hash left = plain_root(leaves, half), right = plain_root(leaves + half, n - half);
    return rp_merkle_node(&left, &right);
}

static rp_err forest_node(void *ctx, unsigned level, uint64_t index, rp_hash *ret_hash) {
    struct forest *forest = ctx;
    assert_true(((index + 1) << level) <= LEAVES);
    *ret_hash = plain_root(forest->leaves + (index << level), (uint64_t)1 << level);
    return RP_OK;
}

static void fill(struct forest *forest) {
    for (unsigned i = 0; i < LEAVES; i++) {
        uint8_t entry[2] = {(uint8_t)i, 7};
        forest->leaves[i] = rp_merkle_leaf(rp_view_of(entry, 2));
    }
}

static bool same(const rp_hash *a, const rp_hash *b) {
    return rp_view_equal(rp_view_of(a->b, 32), rp_view_of(b->b, 32));
}

/* RFC 6962's reference leaves and the roots that transparency-dev/merkle publishes for them. */
static void test_reference_roots(void **state) {
    (void)state;
    static const char *const leaves[] = {"",
                                         "00",
                                         "10",
                                         "2021",
                                         "3031",
                                         "40414243",
                                         "5051525354555657",
                                         "606162636465666768696a6b6c6d6e6f"};
    static const char *const starts[] = {"e3b0c442", "6e340b9c", "fac54203", "aeb6bcfe", "d37ee418",
                                         "4e3bbb1f", "76e67dad", "ddb89be4", "5dc9da79"};
    static const char *const ends[] = {"b855", "a01d", "c125", "6e77", "14b7",
                                       "64d4", "87ef", "4c8c", "4328"};
    struct rp_merkle_edge edge = {0};
    for (size_t i = 0; i <= RP_COUNT_OF(leaves); i++) {
        rp_hash root = rp_merkle_edge_root(&edge);
        char hex[65] = {0};
        rp_hex_print(rp_view_of(root.b, 32), hex);
        assert_memory_equal(hex, starts[i], 8);
        assert_memory_equal(hex + 60, ends[i], 4);
        if (i < RP_COUNT_OF(leaves)) {
            rp_hash leaf = rp_merkle_leaf(unit_hex(leaves[i]));
            rp_merkle_edge_add(&edge, &leaf);
        }
    }
}

static void test_edge_and_source_agree(void **state) {
    (void)state;
    struct forest forest;
    fill(&forest);
    struct rp_merkle_source source = {&forest, forest_node};
    struct rp_merkle_edge edge = {0};
    for (uint64_t n = 0; n <= LEAVES; n++) {
        rp_hash want = plain_root(forest.leaves, n), got = rp_merkle_edge_root(&edge), root;
        assert_true(same(&want, &got));
        assert_ok(rp_merkle_root(&source, n, &root));
        assert_true(same(&want, &root));
        if (n < LEAVES) {
            rp_merkle_edge_add(&edge, &forest.leaves[n]);
        }
    }
}

/* Each proof holds; and does not with any hash changed, one more, one less, or another index. */
static void test_inclusion_all_small(void **state) {
    (void)state;
    struct forest forest;
    fill(&forest);
    struct rp_merkle_source source = {&forest, forest_node};
    for (uint64_t size = 1; size <= LEAVES; size++) {
        rp_hash root = plain_root(forest.leaves, size);
        for (uint64_t i = 0; i < size; i++) {
            rp_hash proof[RP_MERKLE_PROOF_MAX] = {0};
            size_t n;
            assert_ok(rp_merkle_inclusion(&source, i, size, proof, &n));
            assert_ok(rp_merkle_check_inclusion(&forest.leaves[i], i, size, proof, n, &root));
            assert_err(rp_merkle_check_inclusion(&forest.leaves[i], i, size, proof, n + 1, &root),
                       CORRUPT);
            assert_err(rp_merkle_check_inclusion(&forest.leaves[i], size, size, proof, n, &root),
                       CORRUPT);
            if (n > 0) {
                assert_err(
                    rp_merkle_check_inclusion(&forest.leaves[i], i, size, proof, n - 1, &root),
                    CORRUPT);
                assert_err(
                    rp_merkle_check_inclusion(&forest.leaves[i], i ^ 1, size, proof, n, &root),
                    CORRUPT);
                proof[i % n].b[i % 32] ^= 1;
                assert_err(rp_merkle_check_inclusion(&forest.leaves[i], i, size, proof, n, &root),
                           CORRUPT);
            }
        }
    }
    size_t n;
    rp_hash proof[RP_MERKLE_PROOF_MAX];
    assert_err(rp_merkle_inclusion(&source, 5, 5, proof, &n), NOT_FOUND);
}

static void test_consistency_all_small(void **state) {
    (void)state;
    struct forest forest;
    fill(&forest);
    struct rp_merkle_source source = {&forest, forest_node};
    for (uint64_t b = 1; b <= LEAVES; b++) {
        rp_hash new_root = plain_root(forest.leaves, b);
        for (uint64_t a = 1; a <= b; a++) {
            rp_hash old_root = plain_root(forest.leaves, a), proof[RP_MERKLE_PROOF_MAX] = {0};
            size_t n;
            assert_ok(rp_merkle_consistency(&source, a, b, proof, &n));
            assert_ok(rp_merkle_check_consistency(a, &old_root, b, &new_root, proof, n));
            assert_err(rp_merkle_check_consistency(a, &old_root, b, &new_root, proof, n + 1),
                       CORRUPT);
            if (n > 0) {
                assert_err(rp_merkle_check_consistency(a, &new_root, b, &old_root, proof, n),
                           CORRUPT);
                proof[a % n].b[b % 32] ^= 0x80;
                assert_err(rp_merkle_check_consistency(a, &old_root, b, &new_root, proof, n),
                           CORRUPT);
            }
        }
    }
}

/* ---- the 518 vectors of transparency-dev/merkle ---- */

struct tally {
    unsigned good, bad;
};

/* What is no hash stands for "some hash that is nobody else's". */
static rp_hash hash_field(const struct rp_json *object, const char *key) {
    struct rp_buf bytes = rp_buf_new(1024);
    rp_hash hash;
    assert_ok(rp_base64_parse(rp_json_get_string(object, key), &bytes));
    if (bytes.n == sizeof hash.b) {
        memcpy(hash.b, bytes.p, sizeof hash.b);
    } else {
        hash = rp_sha256_of3(RP_VIEW("no hash"), rp_view_of(key, 4), rp_buf_view(&bytes));
    }
    rp_buf_done(&bytes);
    return hash;
}

static uint64_t number_field(const struct rp_json *object, const char *key) {
    const struct rp_json *member = rp_json_get(object, key);
    assert_non_null(member);
    assert_int_equal(member->kind, RP_JSON_NUMBER);
    /* Our JSON keeps integers exactly up to 2^53; the vectors' few larger ones mean "too far". */
    uint64_t value = UINT64_MAX;
    assert_true(rp_json_get_u64(object, key, &value) || member->number > 0x1p53);
    return value;
}

static rp_err check_vector(const char *kind, const struct rp_json *v) {
    rp_hash proof[100];
    size_t n = 0;
    const struct rp_json *list = rp_json_get(v, "proof");
    for (const struct rp_json *p = list->first; p; p = p->next) {
        struct rp_buf bytes = rp_buf_new(1024);
        assert_true(n < RP_COUNT_OF(proof));
        assert_ok(rp_base64_parse(p->string, &bytes));
        bool whole = bytes.n == 32;
        if (whole) {
            memcpy(proof[n].b, bytes.p, 32);
        }
        rp_buf_done(&bytes);
        if (!whole) {
            return RP_ERR(CORRUPT);
        }
        n++;
    }
    if (strcmp(kind, "inclusion") == 0) {
        rp_hash leaf = hash_field(v, "leafHash"), root = hash_field(v, "root");
        return rp_merkle_check_inclusion(&leaf, number_field(v, "leafIdx"),
                                         number_field(v, "treeSize"), proof, n, &root);
    }
    if (strcmp(kind, "subtreeinclusion") == 0) {
        rp_hash leaf = hash_field(v, "leafHash"), root = hash_field(v, "root");
        uint64_t begin = number_field(v, "start"), end = number_field(v, "end");
        uint64_t index = number_field(v, "leafIdx");
        if (!rp_merkle_is_subtree(begin, end) || index < begin) {
            return RP_ERR(CORRUPT);
        }
        return rp_merkle_check_inclusion(&leaf, index - begin, end - begin, proof, n, &root);
    }
    rp_hash a = hash_field(v, "root1"), b = hash_field(v, "root2");
    if (strcmp(kind, "consistency") == 0) {
        return rp_merkle_check_consistency(number_field(v, "size1"), &a, number_field(v, "size2"),
                                           &b, proof, n);
    }
    return rp_merkle_check_subtree(number_field(v, "start"), number_field(v, "end"),
                                   number_field(v, "size"), &a, &b, proof, n);
}

static void run_vector(const char *kind, const char *path, struct tally *tally) {
    size_t n;
    uint8_t *bytes = unit_file(path, &n);
    struct rp_arena *arena = rp_arena_new(1 << 20);
    struct rp_json *v;
    assert_ok(rp_json_parse(rp_view_of(bytes, n), RP_JSON_LIMITS, arena, &v, NULL));
    bool want_err = true;
    assert_true(rp_json_get_bool(v, "wantErr", &want_err));
    if (rp_ok(check_vector(kind, v)) == want_err) {
        fail_msg("%s: want %s", path, want_err ? "an error" : "success");
    }
    (*(want_err ? &tally->bad : &tally->good))++;
    rp_arena_free(arena);
    test_free(bytes);
}

static void run_folder(const char *kind, const char *path, struct tally *tally) {
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *e; (e = readdir(folder));) {
        char child[4096];
        snprintf(child, sizeof child, "%s/%s", path, e->d_name);
        rp_view name = rp_view_from_cstr(e->d_name);
        if (e->d_name[0] == '.') {
            continue;
        }
        if (rp_view_ends(name, RP_VIEW(".json"))) {
            run_vector(kind, child, tally);
        } else {
            run_folder(kind, child, tally);
        }
    }
    closedir(folder);
}

static void test_foreign_vectors(void **state) {
    (void)state;
    static const char *const kinds[] = {"inclusion", "consistency", "subtreeinclusion",
                                        "subtreeconsistency"};
    struct tally tally = {0, 0};
    for (size_t i = 0; i < RP_COUNT_OF(kinds); i++) {
        char name[64];
        snprintf(name, sizeof name, "merkle/%s", kinds[i]);
        const char *path = unit_corpora(name);
        if (!path) {
            print_message("# merkle: no foreign vectors at REMPART_CORPORA\n");
            skip();
        }
        char *copy = strdup(path);
        run_folder(kinds[i], copy, &tally);
        free(copy);
    }
    assert_int_equal(tally.good + tally.bad, 518);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_reference_roots),     cmocka_unit_test(test_edge_and_source_agree),
        cmocka_unit_test(test_inclusion_all_small), cmocka_unit_test(test_consistency_all_small),
        cmocka_unit_test(test_foreign_vectors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
