// The clock of a running installation leaps a year ahead, back again, a year behind, and back: people come in and write at each
// time, nothing is destroyed, nobody has to wait for a time to come, and the log is whole at the end.
import assert from 'node:assert/strict';
import {after, before, test} from 'node:test';
import {canaries, sql} from '../lib/sabotage.mjs';
import {LeapingClock} from '../lib/leaping.mjs';
import {Stack, totp, until} from '../lib/stack.mjs';

const YEAR = 366 * 86400, STEP_MS = 30000;
const clock = new LeapingClock();
const skip = clock.why;

let stack, email, password, seed, main, person;

before(async () => {
  if (skip) return;
  stack = await Stack.start({app: null, through: clock.through});
  ({email, password, seed} = await stack.firstAdministrator());
  // A leap is told from what core remembers; it looks for the first time within moments of its start.
  await until('core has seen the clock', async () => (await sql(stack.file('db/system.db'), 'SELECT count(*) FROM clock_trust')).includes('1'));
  main = JSON.parse((await stack.rempart('tenant', 'list', '--json')).stdout).tenants.find(one => one.name === 'main').id;
});
after(async () => { await stack?.stop(); clock.done(); });

// With the earliest code of an authenticator at the installation's time that is good and was not used: codes of the step
// before, this one and the next are taken. first: how many steps from now the first of them is, after a leap.
let next;
async function comesIn({first} = {}) {
  const now = () => Math.floor(clock.now() / STEP_MS);
  if (first !== undefined) next = now() + first;
  await until('a step whose code is good', () => next <= now() + 1, {seconds: 60});
  const step = Math.max(next, now() - 1);
  next = step + 1;
  const person = stack.client();
  const second = await person.submit(await person.get('/.rempart/id/sign-in'), {email, password}, {action: 'sign-in'});
  const account = await person.submit(second, {code: totp(seed, step * STEP_MS)}, {action: 'code'});
  assert.ok(await isIn(person), account.text);
  return person;
}
// For a moment core's last sign of life seems a year old, and who has a session is asked for patience.
async function leap(seconds) {
  clock.leap(seconds);
  const somebody = stack.client({cookies: {'__Host-rempart': 'A'.repeat(43)}});
  await until('the gate believes core again', async () => (await somebody.get('/.rempart/id/account')).status !== 503);
}
const isIn = async person => (await person.get('/.rempart/id/account')).status === 200;
const hasEnded = person => until('the end of a session', async () => !(await isIn(person)), {seconds: 60});

// What somebody does on a working day: comes in, and a colleague is invited.
async function works(name, options) {
  const person = await comesIn(options);
  const {code, stderr} = await stack.rempart('person', 'invite', `${name}@example.com`, '--tenant', main);
  assert.equal(code, 0, stderr);
  return person;
}

/*= S99, S101 type=test */
test('a year ahead: sessions have ended, people come in, nothing is destroyed, the leap is on record', {skip}, async () => {
  const before = await comesIn({first: 1});
  await leap(YEAR);
  await hasEnded(before);
  person = await works('ahead', {first: -1});
  await until('the status says so', async () => /clock: it leapt.*nothing is destroyed/.test((await stack.rempart('status')).stdout));
});

test('back: the session of the time to come ends, and whoever had it comes in again', {skip}, async () => {
  await leap(0);
  await hasEnded(person);
  person = await works('back', {first: 1});
  await until('the status is silent', async () => !/clock: it leapt/.test((await stack.rempart('status')).stdout));
});

test('a year behind, and back: people come in, the log goes on', {skip}, async () => {
  await leap(-YEAR);
  await hasEnded(person);
  await works('behind', {first: 0});
  await leap(0);
  await works('at-last', {first: 1});
});

test('everybody who was invited is there, the leaps are on record, and every byte of the log is whole', {skip}, async () => {
  const {stdout} = await stack.rempart('person', 'list', '--tenant', main);
  for (const one of ['ahead', 'back', 'at-last']) assert.ok(stdout.includes(`${one}@example.com`), `${one} in\n${stdout}`);
  assert.ok(!stdout.includes('behind@'), 'an invitation of last year has run out');
  await until('each leap on record', async () => {
    const tail = (await stack.rempart('ledger', 'tail', 'operator', '-n', '1000')).stdout.split('\n');
    const leaps = tail.filter(line => line.includes('clock.leapt')).map(line => /"what":"(\w+)"/.exec(line)[1]);
    assert.deepEqual(leaps, ['ahead', 'back', 'behind', 'ahead']);
    return true;
  });
  const tenants = (await stack.rempart('tenant', 'list')).stdout;
  for (const {tenant} of canaries(stack)) assert.ok(tenants.includes(tenant), 'no canary was closed');
  const {code, stdout: said, stderr} = await stack.rempart('verify', stack.file('ledger'));
  assert.equal(code, 0, said + stderr);
  assert.deepEqual((await stack.status()).roles.filter(role => role.restarts > 0), [], 'no role was lost');
});
