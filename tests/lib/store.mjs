// store.mjs — where a stack of the tests has its databases: in files, or in a PostgreSQL.
//
// A test file says nothing about it: REMPART_TEST_STORE (a PostgreSQL's URL) puts each stack into a
// schema of its own there, and what a test alters "in the file" is altered in the rows.
import path from 'node:path';
import {psql} from './postgres.mjs';

const base = process.env.REMPART_TEST_STORE;
const schemaOf = state => `s${Buffer.from(path.basename(state)).toString('hex').slice(-40)}`;

// The URL of the stack with this state folder; nothing: files.
export const storeAt = state => base && `${base}&schema=${schemaOf(state)}`;

// For a path such as STATE/db/system.db or STATE/tenants/ab/cd/HEX.db: its schema, and whose rows; nothing: it is a file.
export function storeOf(file) {
  const [, state, tenant] = /^(.*)\/(?:db\/system|tenants\/\w\w\/\w\w\/(\w{32}))\.db$/.exec(file) ?? [];
  return base && state && {url: base, schema: schemaOf(state) + (tenant ? '_tenants' : ''), tenant};
}

// What the tests say to SQLite's shell, as PostgreSQL's understands it.
const inItsWords = text => text
  .replace(/x'([0-9a-f]*)'/gi, "'\\x$1'")
  .replace(/CAST\(('[^']*') AS BLOB\)/g, '$1::bytea')
  .replace(/randomblob\(16\)/g, "decode(replace(gen_random_uuid()::text, '-', ''), 'hex')")
  .replace(/lower\(hex\((\w+)\)\)/g, "encode($1, 'hex')")
  .replace(/group_concat\((DISTINCT )?(\w+)\)/g, "string_agg($1$2, ',')");

// What SQLite's shell has built in and the tests alter rows by, in a schema that the product knows nothing of.
const shell = `
BEGIN; SELECT pg_advisory_xact_lock(71); CREATE SCHEMA IF NOT EXISTS sqlite_shell;
CREATE OR REPLACE FUNCTION sqlite_shell.json_set(text, text, json) RETURNS text LANGUAGE sql AS
$$ SELECT jsonb_set($1::jsonb, string_to_array(substr($2, 3), '.'), $3::jsonb)::text $$;
CREATE OR REPLACE FUNCTION sqlite_shell.json_set(text, text, text) RETURNS text LANGUAGE sql AS
$$ SELECT sqlite_shell.json_set($1, $2, to_json($3)) $$;
CREATE OR REPLACE FUNCTION sqlite_shell.json_set(text, text, integer) RETURNS text LANGUAGE sql AS
$$ SELECT sqlite_shell.json_set($1, $2, to_json($3)) $$;
CREATE OR REPLACE FUNCTION sqlite_shell.json_remove(text, text) RETURNS text LANGUAGE sql AS
$$ SELECT ($1::jsonb #- string_to_array(substr($2, 3), '.'))::text $$;
CREATE OR REPLACE FUNCTION sqlite_shell.hex(bytea) RETURNS text LANGUAGE sql AS $$ SELECT upper(encode($1, 'hex')) $$;
CREATE OR REPLACE FUNCTION sqlite_shell.zeroblob(integer) RETURNS bytea LANGUAGE sql AS
$$ SELECT decode(repeat('00', $1), 'hex') $$;
COMMIT;
`;

export async function sqlInPostgres(file, text) {
  const {url, schema, tenant} = storeOf(file);
  await psql(url, shell);
  return psql(url, (tenant ? `SET rempart.tenant = '${tenant}';\n` : '') + inItsWords(text), {schema: `${schema}, sqlite_shell`});
}
