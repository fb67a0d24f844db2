#!/bin/sh
# embed.sh OUT FILE… — the numbered SQL files as C text: rp_migrations_system[], rp_migrations_tenant[].
# FILE is DATABASE-NNN-what.sql; the numbers of each database must run 001, 002, … without a gap.
set -eu
out=$1
shift

print_database() { # DATABASE FILE…
    database=$1
    shift
    number=0
    printf 'const struct rp_migration rp_migrations_%s[] = {\n' "$database"
    for file; do
        case ${file##*/} in "$database"-*) ;; *) continue ;; esac
        number=$((number + 1))
        case ${file##*/} in
        "$database-$(printf %03d "$number")"-*.sql) ;;
        *) echo "embed.sh: $file: expected number $number" >&2; exit 1 ;;
        esac
        printf '    {"%s",\n' "${file##*/}"
        sed -e 's/\\/\\\\/g' -e 's/"/\\"/g' -e 's/^/     "/' -e 's/$/\\n"/' "$file"
        printf '    },\n'
    done
    printf '};\nconst size_t rp_migrations_%s_count = %d;\n' "$database" "$number"
}

{
    printf '/* Made by sql/embed.sh. */\n#include "store/migrate.h"\n\n'
    print_database system "$@"
    print_database tenant "$@"
} >"$out.tmp"
mv "$out.tmp" "$out"
