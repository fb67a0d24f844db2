// sabotage.mjs — break a control as an operator or an attacker can, see the page turn red, mend it,
// see it turn green. There is no back door for this: files, rows, processes, configuration only.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {run, sleep, until} from './stack.mjs';
import {sqlInPostgres, storeOf} from './store.mjs';

const partOf = (promise, id) => promise.parts.find(part => part.id === id || part.probe === id);

// The part's status after a run now.
export async function partNow(stack, promise, probe) {
  const part = partOf(await stack.probe(probe), probe); // its other parts may wait for one-time codes
  assert.ok(part, `${promise} has no part for ${probe}`);
  if (part.detail) assert.notEqual(part.detail_fr, part.detail, 'a finding without its French');
  return part;
}

export async function proven(stack, promise, probe) {
  await until(`${promise}/${probe} proven`, async () => {
    const part = await partNow(stack, promise, probe);
    if (part.status !== 'proven') throw new Error(`${part.status}: ${part.detail}`);
    return true;
  }, {seconds: 100, every: 500});
}

// Nobody has touched it yet, so what the page says is believed: no run, no wait for a one-time code.
export async function startsProven(stack, promise, probe) {
  const {promises} = await stack.trust();
  const part = partOf(promises.find(one => one.id === promise) ?? {parts: []}, probe);
  if (part?.status !== 'proven') await proven(stack, promise, probe);
}

// Green, broken: red within the delay, mended: green again.
// unseen: the sabotage may also keep the probe from looking, and then nothing counts as proven any more.
export async function turnsRed(stack, {promise, probe, sabotage, mend, unseen = false}) {
  await startsProven(stack, promise, probe);
  await sabotage();
  try {
    await until(`${promise}/${probe} failing`, async () => {
      const part = await partNow(stack, promise, probe);
      if (part.status !== 'failing' && !(unseen && part.status === 'stale')) throw new Error(`${part.status}: ${part.detail}`);
      return true;
    }, {seconds: 100, every: 500});
  } finally {
    await mend();
  }
  await proven(stack, promise, probe);
}

// Edits the gate's generated configuration by hand and reloads nginx, as whoever has root can.
// Returns the way back.
export async function editGate(stack, edit) {
  const file = stack.file('gate/nginx.conf');
  const before = fs.readFileSync(file, 'utf8');
  const after = edit(before);
  assert.notEqual(after, before, 'the edit must change the configuration');
  fs.writeFileSync(file, after);
  await reloadGate(stack);
  return async () => {
    fs.writeFileSync(file, before);
    await reloadGate(stack);
  };
}

async function reloadGate(stack) {
  process.kill(await stack.pid('gate'), 'SIGHUP');
  await sleep(1500); // the old workers end when their connections do
}

// SQL on a database file, with Debian's own shell; where the suite's databases are in PostgreSQL, there.
export async function sql(file, text) {
  if (storeOf(file)) return sqlInPostgres(file, text);
  const {code, stdout, stderr} = await run('sqlite3', ['-bail', file, '.timeout 5000', text]);
  assert.equal(code, 0, `sqlite3 ${file}: ${stderr}`);
  return stdout.trim();
}

export const tenantFile = (stack, id) => stack.file('tenants', id.slice(0, 2), id.slice(2, 4), `${id}.db`);

export function canaries(stack) {
  return JSON.parse(fs.readFileSync(stack.file('canary/credentials.json'), 'utf8')).people;
}

// Ends a role as a crash does and waits until the supervisor has it back.
export async function crash(stack, role) {
  const before = await stack.pid(role);
  process.kill(before, 'SIGKILL');
  await until(`${role} back`, async () => {
    const {roles} = await stack.status();
    const one = roles.find(r => r.name === role);
    return one.pid !== before && one.state === 'ready';
  }, {seconds: 20});
}

export function editFile(file, edit) {
  const before = fs.readFileSync(file, 'utf8');
  fs.writeFileSync(file, edit(before));
  return () => fs.writeFileSync(file, before);
}

export const exists = (...parts) => fs.existsSync(path.join(...parts));
