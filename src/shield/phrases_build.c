/* phrases_build.c — phrases to a trie, the trie to an automaton, the automaton to flat bytes. */
#include "base/checked.h"
#include "shield/phrases.h"
#include "shield/phrases_format.h"
#include "shield/transform_parts.h"

struct node {
    uint32_t child, next; /* 0 = none: the root is nobody's child */
    uint32_t fail;
    uint32_t slot;
    uint16_t depth, out;
    uint8_t byte;
};

struct builder {
    struct node *nodes;
    uint32_t *queue; /* breadth first; queue[0] is the root */
    uint32_t node_count;
    uint8_t class_of[256];
    uint32_t class_count;
    struct rp_phrases_slot *slots;
    size_t slot_capacity, slot_count;
    size_t first_free; /* no slot before it is free */
};

/* ---- the trie ---- */

static uint32_t child_by(const struct builder *b, uint32_t parent, uint8_t byte) {
    uint32_t at = b->nodes[parent].child;
    while (at != 0 && b->nodes[at].byte != byte) {
        at = b->nodes[at].next;
    }
    return at;
}

static uint32_t child_new(struct builder *b, uint32_t parent, uint8_t byte) {
    uint32_t at = b->node_count++;
    b->nodes[at] = (struct node){.next = b->nodes[parent].child,
                                 .depth = (uint16_t)(b->nodes[parent].depth + 1),
                                 .byte = byte};
    b->nodes[parent].child = at;
    return at;
}

/* A phrase that begins with another one never ends first: it is left out, or cut away. */
static void insert(struct builder *b, rp_view phrase) {
    uint32_t at = 0;
    for (size_t i = 0; i < phrase.n && b->nodes[at].out == 0; i++) {
        uint8_t byte = rp_to_lower(phrase.p[i]);
        uint32_t child = child_by(b, at, byte);
        at = child != 0 ? child : child_new(b, at, byte);
    }
    if (at != 0 && b->nodes[at].out == 0) {
        b->nodes[at].out = b->nodes[at].depth;
        b->nodes[at].child = 0;
    }
}

static void give_classes(struct builder *b) {
    for (uint32_t i = 0; i < b->node_count; i++) {
        uint32_t at = b->queue[i];
        uint8_t *class = &b->class_of[b->nodes[at].byte];
        if (at != 0 && *class == 0) {
            *class = (uint8_t)++b->class_count;
        }
    }
    for (uint8_t letter = 'A'; letter <= 'Z'; letter++) {
        b->class_of[letter] = b->class_of[rp_to_lower(letter)];
    }
}

/* ---- the automaton ---- */

static uint32_t fail_of(const struct builder *b, uint32_t parent, uint8_t byte) {
    if (parent == 0) {
        return 0;
    }
    uint32_t at = b->nodes[parent].fail;
    uint32_t found = child_by(b, at, byte);
    while (found == 0 && at != 0) {
        at = b->nodes[at].fail;
        found = child_by(b, at, byte);
    }
    return found;
}

/* Fills the queue with what can be reached, shortest first, and every node's suffix. */
static void connect(struct builder *b) {
    uint32_t count = 1;
    b->queue[0] = 0;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t parent = b->queue[i];
        for (uint32_t at = b->nodes[parent].child; at != 0; at = b->nodes[at].next) {
            struct node *node = &b->nodes[at];
            node->fail = fail_of(b, parent, node->byte);
            node->out = node->out != 0 ? node->out : b->nodes[node->fail].out;
            b->queue[count++] = at;
        }
    }
    b->node_count = count;
}

/* ---- the double array ---- */

static bool is_free(const struct builder *b, size_t slot) {
    return slot > 0 && b->slots[slot].check == (uint32_t)RP_PHRASES_NO_SLOT;
}

static bool all_free(const struct builder *b, size_t base, uint32_t first_child) {
    for (uint32_t at = first_child; at != 0; at = b->nodes[at].next) {
        if (!is_free(b, base + b->class_of[b->nodes[at].byte])) {
            return false;
        }
    }
    return true;
}

static bool place_children(struct builder *b, uint32_t parent) {
    uint32_t first = b->nodes[parent].child;
    if (first == 0) {
        return true;
    }
    while (b->first_free < b->slot_capacity && !is_free(b, b->first_free)) {
        b->first_free++;
    }
    size_t base = b->first_free > b->class_count ? b->first_free - b->class_count : 0;
    while (base + b->class_count < b->slot_capacity && !all_free(b, base, first)) {
        base++;
    }
    if (base + b->class_count >= b->slot_capacity) {
        return false;
    }
    uint32_t parent_slot = b->nodes[parent].slot;
    b->slots[parent_slot].base = (uint32_t)base;
    b->slot_count = RP_MAX(b->slot_count, base + b->class_count + 1);
    for (uint32_t at = first; at != 0; at = b->nodes[at].next) {
        struct node *node = &b->nodes[at];
        node->slot = (uint32_t)base + b->class_of[node->byte];
        b->slots[node->slot].check = parent_slot;
    }
    return true;
}

static rp_err place(struct builder *b, struct rp_arena *scratch) {
    b->slot_capacity = 4 * (size_t)b->node_count + 1024;
    b->slots = rp_arena_array(scratch, b->slot_capacity, sizeof *b->slots);
    if (b->slots == NULL || b->slot_capacity > RP_PHRASES_SLOTS_MAX) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t slot = 0; slot < b->slot_capacity; slot++) {
        b->slots[slot].check = (uint32_t)RP_PHRASES_NO_SLOT;
    }
    b->slot_count = b->class_count + 1;
    for (uint32_t i = 0; i < b->node_count; i++) {
        if (!place_children(b, b->queue[i])) {
            return RP_ERR(TOO_LARGE);
        }
    }
    for (uint32_t i = 0; i < b->node_count; i++) {
        const struct node *node = &b->nodes[b->queue[i]];
        struct rp_phrases_slot *slot = &b->slots[node->slot];
        slot->fail = b->nodes[node->fail].slot;
        slot->depth = node->depth;
        slot->out = node->out;
    }
    return RP_OK;
}

/* ---- the bytes ---- */

static void set_both_cases(struct rp_byte_set *set, uint8_t byte) {
    set->bits[byte >> 6] |= UINT64_C(1) << (byte & 63);
    if (byte >= 'a' && byte <= 'z') {
        set->bits[byte >> 6] |= UINT64_C(1) << ((byte - 0x20) & 63);
    }
}

/* After the first byte of a phrase: the bytes that follow it in one; all when it is a phrase. */
static struct rp_byte_set second_bytes(const struct builder *b, uint32_t first) {
    struct rp_byte_set set = {{0}};
    for (uint32_t at = b->nodes[first].child; at != 0; at = b->nodes[at].next) {
        set_both_cases(&set, b->nodes[at].byte);
    }
    if (b->nodes[first].out != 0) {
        memset(&set, 0xff, sizeof set);
    }
    return set;
}

static void write_automaton(const struct builder *b, struct rp_buf *out) {
    struct rp_phrases_head head = {.magic = RP_PHRASES_MAGIC,
                                   .slots = (uint32_t)b->slot_count,
                                   .classes = b->class_count,
                                   .rows = 1};
    memcpy(head.class_of, b->class_of, sizeof head.class_of);
    for (uint32_t at = b->nodes[0].child; at != 0; at = b->nodes[at].next) {
        head.row_of[b->nodes[at].byte] = (uint8_t)head.rows++;
    }
    for (uint8_t letter = 'A'; letter <= 'Z'; letter++) {
        head.row_of[letter] = head.row_of[rp_to_lower(letter)];
    }
    while (out->n % 8 != 0 && !out->failed) {
        rp_buf_add_byte(out, 0);
    }
    rp_buf_add(out, rp_view_of(&head, sizeof head));
    struct rp_byte_set row = {{0}};
    rp_buf_add(out, rp_view_of(&row, sizeof row));
    for (uint32_t at = b->nodes[0].child; at != 0; at = b->nodes[at].next) {
        row = second_bytes(b, at);
        rp_buf_add(out, rp_view_of(&row, sizeof row));
    }
    rp_buf_add(out, rp_view_of(b->slots, b->slot_count * sizeof *b->slots));
}

static rp_err count_bytes(const rp_view *phrases, size_t count, size_t *ret_total) {
    size_t total = 1;
    for (size_t i = 0; i < count; i++) {
        if (phrases[i].n > RP_PHRASE_MAX || !rp_add(total, phrases[i].n, &total) ||
            total > RP_PHRASES_SLOTS_MAX / 8) {
            return RP_ERR(TOO_LARGE);
        }
    }
    *ret_total = total;
    return RP_OK;
}

rp_err rp_phrases_build(const rp_view *phrases, size_t count, struct rp_arena *scratch,
                        struct rp_buf *out) {
    size_t total = 0;
    RP_TRY(count_bytes(phrases, count, &total));
    struct builder b = {.node_count = 1};
    b.nodes = rp_arena_array(scratch, total, sizeof *b.nodes);
    b.queue = rp_arena_array(scratch, total, sizeof *b.queue);
    if (b.nodes == NULL || b.queue == NULL) {
        return RP_ERR(TOO_LARGE);
    }
    for (size_t i = 0; i < count; i++) {
        insert(&b, phrases[i]);
    }
    connect(&b);
    give_classes(&b);
    RP_TRY(place(&b, scratch));
    write_automaton(&b, out);
    return rp_buf_err(out);
}
