#include "ledger/origin.h"

#include "base/assert.h"

void rp_tree_folder(struct rp_tree tree, char out[static 40]) {
    RP_ASSERT((size_t)tree.kind < RP_TREE_COUNT);
    struct rp_id_text id = rp_id_print(tree.tenant);
    const char *name = tree.kind == RP_TREE_PUBLIC     ? "public"
                       : tree.kind == RP_TREE_OPERATOR ? "operator"
                                                       : id.s;
    memcpy(out, name, strlen(name) + 1);
}

bool rp_tree_of_folder(rp_view name, struct rp_tree *ret_tree) {
    struct rp_tree tree = {.kind = RP_TREE_TENANT};
    if (rp_view_equal(name, RP_VIEW("public"))) {
        tree.kind = RP_TREE_PUBLIC;
    } else if (rp_view_equal(name, RP_VIEW("operator"))) {
        tree.kind = RP_TREE_OPERATOR;
    } else if (!rp_id_parse(name, &tree.tenant) || rp_id_is_none(tree.tenant)) {
        return false;
    }
    *ret_tree = tree;
    return true;
}

void rp_tree_origin(const char *host, struct rp_tree tree, char out[static RP_ORIGIN_MAX]) {
    char name[40];
    rp_tree_folder(tree, name);
    int n = snprintf(out, RP_ORIGIN_MAX, "%s/log/%s", host, name);
    RP_ASSERT(n > 0 && n < RP_ORIGIN_MAX);
}
