#!/bin/sh
# embed.sh OUT PREFIX FILE… — the numbered SQL files as C text: PREFIX_system[], PREFIX_tenant[].
# FILE is DATABASE-NNN-what.sql; the numbers of each database must run 001, 002, … without a gap.
set -eu
out=$1 prefix=$2
shift 2

print_database() { # DATABASE FILE…
    database=$1
    shift
    number=0
    printf 'const struct rp_migration %s_%s[] = {\n' "$prefix" "$database"
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
    printf '};\nconst size_t %s_%s_count = %d;\n' "$prefix" "$database" "$number"
}

{
    printf '/* Made by sql/embed.sh. */\n#include "store/migrate.h"\n\n'
    print_database system "$@"
    print_database tenant "$@"
} >"$out.tmp"
mv "$out.tmp" "$out"
