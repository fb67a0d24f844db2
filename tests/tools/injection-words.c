/* injection-words.c — writes src/shield/injection_words.def and injection_fingerprints.def: which
 * words libinjection knows, as what, and which rows of token letters it calls an attack.
 *
 * They are facts about its verdicts, so it is asked: libmodsecurity exports the look-up. Words to
 * ask about are the endings of every printable text in the library's own file; fingerprints are
 * all rows of up to five letters. Run it when Debian's library changes:
 *   build/tests/tools/injection-words src/shield
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/checked.h"

char libinjection_sqli_lookup_word(void *state, int kind, const char *text, size_t n);

enum { WORD_MAX = 31, WORDS_MAX = 4096, LINE_MAX_COLUMNS = 96, KIND_WORD = 1 };

struct word {
    size_t n;
    char text[WORD_MAX + 1];
    char type;
};

static struct word words[WORDS_MAX];
static size_t word_count;

static const char heading[] = "/* %s — %s\n"
                              " * Written by tests/tools/injection-words.c, which asks "
                              "libmodsecurity's libinjection (3.9.2)\n"
                              " * about every candidate. These are facts of that table "
                              "(libinjection, BSD-3-Clause, Copyright\n"
                              " * 2012-2016 Nick Galbraith); do not edit, write anew. */\n";

static void add_word(const char *text, size_t n) {
    struct word *word = &words[word_count];
    char type = libinjection_sqli_lookup_word(NULL, KIND_WORD, text, n);
    if (type == '\0' || text[0] == '0') {
        return;
    }
    *word = (struct word){.n = n, .type = type};
    for (size_t i = 0; i < n; i++) {
        word->text[i] = (char)(text[i] >= 'a' && text[i] <= 'z' ? text[i] - 32 : text[i]);
    }
    for (size_t i = 0; i < word_count; i++) {
        if (strcmp(words[i].text, word->text) == 0) {
            return;
        }
    }
    if (++word_count == WORDS_MAX) {
        fprintf(stderr, "injection-words: more than %d words\n", WORDS_MAX);
        exit(1);
    }
}

/* Every text of the file that ends in a NUL, from each of its bytes on: a linker lets texts share
 * their endings. */
static void ask_words(const char *bytes, size_t n) {
    for (size_t from = 0; from < n; from++) {
        size_t length = 0;
        while (from + length < n && length <= WORD_MAX && bytes[from + length] >= ' ' &&
               bytes[from + length] < 127) {
            length++;
        }
        if (length > 1 && length <= WORD_MAX && from + length < n && bytes[from + length] == '\0') {
            add_word(bytes + from, length);
        }
    }
}

static char *read_library(size_t *ret_n) {
    static const char path[] = "/usr/lib/x86_64-linux-gnu/libmodsecurity.so.3";
    FILE *file = fopen(path, "rbe");
    if (file == NULL || fseek(file, 0, SEEK_END) != 0) {
        perror(path);
        exit(1);
    }
    long size = ftell(file);
    rewind(file);
    char *bytes = malloc((size_t)size);
    if (bytes == NULL || fread(bytes, 1, (size_t)size, file) != (size_t)size) {
        perror(path);
        exit(1);
    }
    fclose(file);
    *ret_n = (size_t)size;
    return bytes;
}

static int by_group(const void *a, const void *b) {
    const struct word *left = a;
    const struct word *right = b;
    if (left->text[0] != right->text[0]) {
        return left->text[0] < right->text[0] ? -1 : 1;
    }
    if (left->n != right->n) {
        return left->n < right->n ? -1 : 1;
    }
    return strcmp(left->text, right->text);
}

static FILE *start(const char *folder, const char *name, const char *what) {
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *file = fopen(path, "we");
    if (file == NULL) {
        perror(path);
        exit(1);
    }
    fprintf(file, heading, name, what);
    return file;
}

/* Pieces of one row of text, over as many lines as they need. */
static void put_piece(FILE *file, size_t *column, const char *piece) {
    if (*column + strlen(piece) > LINE_MAX_COLUMNS) {
        *column = (size_t)fprintf(file, "\"\n    \"") - 2;
    }
    *column += (size_t)fprintf(file, "%s", piece);
}

static bool is_word(const struct word *word) {
    char c = word->text[0];
    return (c >= 'A' && c <= 'Z') || c == '_';
}

/* Where words of the table that begin with this byte have a space: the lengths of what is before.
 */
static void write_beginnings(FILE *file, char first) {
    uint32_t lengths = 0;
    for (size_t i = 0; i < word_count; i++) {
        for (size_t at = 1; words[i].text[0] == first && at < words[i].n; at++) {
            lengths |= words[i].text[at] == ' ' ? UINT32_C(1) << at : 0;
        }
    }
    if (lengths != 0) {
        fprintf(file, "BEGINS('%c', 0x%" PRIx32 ")\n", first, lengths);
    }
}

static void write_words(const char *folder) {
    FILE *file =
        start(folder, "injection_words.def",
              "SQL's words, and what each counts as.\n"
              " * WORDS(name, first byte, length, \"type and word\"...); PAIR(two bytes, type).");
    size_t column = 0;
    for (size_t i = 0; i < word_count; i++) {
        const struct word *word = &words[i];
        if (!is_word(word)) {
            fprintf(file, "PAIR('%c', '%c', '%c')\n", word->text[0], word->text[1], word->type);
            continue;
        }
        bool first = i == 0 || words[i - 1].text[0] != word->text[0] || words[i - 1].n != word->n;
        bool last = i + 1 == word_count || words[i + 1].text[0] != word->text[0] ||
                    words[i + 1].n != word->n;
        char piece[WORD_MAX + 2];
        snprintf(piece, sizeof piece, "%c%s", word->type, word->text);
        column = first ? (size_t)fprintf(file, "WORDS(%c, '%c', %zu, \"", word->text[0],
                                         word->text[0], word->n)
                       : column;
        put_piece(file, &column, piece);
        fprintf(file, last ? "\")\n" : "");
    }
    for (char first = 'A'; first <= '_'; first++) {
        write_beginnings(file, first);
    }
    fclose(file);
}

/* ---- fingerprints ---- */

static const struct {
    char letter;
    const char *name;
} letters[] = {
    {'K', "KEYWORD"},    {'U', "UNION"},       {'B', "GROUP"},      {'E', "EXPRESSION"},
    {'T', "SQLTYPE"},    {'F', "FUNCTION"},    {'N', "BAREWORD"},   {'1', "NUMBER"},
    {'V', "VARIABLE"},   {'S', "STRING"},      {'O', "OPERATOR"},   {'&', "LOGIC"},
    {'C', "COMMENT"},    {'A', "COLLATE"},     {'(', "LEFT_PAREN"}, {')', "RIGHT_PAREN"},
    {'{', "LEFT_BRACE"}, {'}', "RIGHT_BRACE"}, {'.', "DOT"},        {',', "COMMA"},
    {':', "COLON"},      {';', "SEMICOLON"},   {'?', "UNKNOWN"},    {'X', "EVIL"},
    {'\\', "BACKSLASH"},
};

static bool is_attack(const char *row) {
    char key[8];
    snprintf(key, sizeof key, "0%s", row);
    return libinjection_sqli_lookup_word(NULL, KIND_WORD, key, strlen(key)) == 'F';
}

/* Every attack that begins as `row` does: its letters from the third on, four bytes each. */
static void ask_rows(struct rp_buf *endings, char *row, size_t n) {
    row[n] = '\0';
    if (is_attack(row)) {
        char ending[8];
        snprintf(ending, sizeof ending, "%-4s", row + 2);
        rp_buf_add(endings, rp_view_of(ending, 4));
    }
    for (size_t i = 0; n < 5 && i < RP_COUNT_OF(letters); i++) {
        row[n] = letters[i].letter;
        ask_rows(endings, row, n + 1);
    }
}

static void write_endings(FILE *file, size_t first, size_t second) {
    char row[8] = {letters[first].letter, letters[second].letter};
    struct rp_buf endings = rp_buf_new(1 << 20);
    ask_rows(&endings, row, 2);
    if (endings.n > 0) {
        size_t column = 5;
        fprintf(file, "ENDINGS(%s, %s,\n    \"", letters[first].name, letters[second].name);
        for (size_t at = 0; at < endings.n; at += 4) {
            char piece[5] = {0};
            memcpy(piece, endings.p + at, 4);
            put_piece(file, &column, piece);
        }
        fprintf(file, "\")\n");
    }
    rp_buf_done(&endings);
}

static void write_fingerprints(const char *folder) {
    FILE *file = start(folder, "injection_fingerprints.def",
                       "rows of two to five token letters that are an attack.\n"
                       " * ENDINGS(first, second, \"the other letters, four bytes each\").");
    for (size_t first = 0; first < RP_COUNT_OF(letters); first++) {
        for (size_t second = 0; second < RP_COUNT_OF(letters); second++) {
            write_endings(file, first, second);
        }
    }
    fclose(file);
}

int main(int argc, char **argv) {
    if (argc != 2) {
        fprintf(stderr, "usage: injection-words FOLDER\n");
        return 2;
    }
    size_t n = 0;
    char *bytes = read_library(&n);
    ask_words(bytes, n);
    free(bytes);
    qsort(words, word_count, sizeof words[0], by_group);
    write_words(argv[1]);
    write_fingerprints(argv[1]);
    printf("%zu words\n", word_count);
    return 0;
}
