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

export function sqlInPostgres(file, text) {
  const {url, schema, tenant} = storeOf(file);
  return psql(url, (tenant ? `SET rempart.tenant = '${tenant}';\n` : '') + inItsWords(text), {schema});
}
