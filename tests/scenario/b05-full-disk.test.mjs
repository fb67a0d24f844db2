// The disk fills up: first below the reserve, then to the last byte. Reading goes on, writing is
// refused in words, nothing that was acknowledged is lost, and room brings everything back.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {Stack, run, until} from '../lib/stack.mjs';

const MIB = 1 << 20;
const skip = process.getuid() !== 0 && 'mounting a small disk needs root';
let disk, stack, person;

before(async () => {
  if (skip) return;
  disk = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-disk-'));
  const mounted = await run('mount', ['-t', 'tmpfs', '-o', 'size=192m,mode=0755', 'rempart-full-disk', disk]);
  assert.equal(mounted.code, 0, mounted.stderr);
  const state = path.join(disk, 'state');
  fs.mkdirSync(state);
  stack = await Stack.start({state});
  person = await stack.firstAdministrator();
});
after(async () => {
  await stack?.stop();
  if (disk) {
    await run('umount', [disk]);
    fs.rmdirSync(disk);
  }
});

const ballast = () => path.join(disk, 'ballast');
const freeBytes = () => { const {bavail, bsize} = fs.statfsSync(disk); return bavail * bsize; };

// Fills the disk until so many bytes are left.
function fillTo(left) {
  const file = fs.openSync(ballast(), 'a');
  try {
    for (let more = freeBytes() - left; more > 0; more = freeBytes() - left) {
      fs.writeSync(file, Buffer.alloc(Math.min(more, MIB)));
    }
  } catch (error) {
    assert.equal(error.code, 'ENOSPC');
  } finally {
    fs.closeSync(file);
  }
}

const notes = {kept: [], refused: []};
async function writeNote(text) {
  const page = await person.get('/');
  assert.equal(page.status, 200, 'the page of notes is read');
  const answer = await person.submit(page, {text});
  notes[answer.status === 200 ? 'kept' : 'refused'].push(text);
  return answer;
}
const noteStands = async text => (await person.get('/')).text.includes(text);
const reading = async () => {
  assert.equal((await person.get('/trust')).status, 200);
  assert.equal((await person.get('/')).status, 200);
};
// Each try writes a text of its own, so that the end can tell what was promised from what was not.
let tries = 0;
const tryNote = async () => (await writeNote(`try number ${++tries}.`)).status;
const refused = what => until(what, async () => await tryNote() >= 500, {seconds: 30, every: 300});
const takesWrites = () => until('writing again', async () => await tryNote() === 200, {seconds: 40, every: 500});

test('below the reserve: writing is refused before it could fail, reading goes on, and an event says so', {skip}, async () => {
  assert.equal((await writeNote('written with room to spare')).status, 200);
  fillTo(6 * MIB); // of 192: under the five per cent of ledger.disk_free_percent
  await refused('writes refused');
  await reading();
  await until('the event', async () => (await stack.rempart('ledger', 'tail', 'operator', '-n', '1000')).stdout.includes('disk.low'));
  const tenant = await stack.rempart('tenant', 'create', 'Never');
  assert.notEqual(tenant.code, 0);
  assert.match(tenant.stderr, /disk|disque/i, 'the words name the disk');
  assert.match(tenant.stderr, /^rempart: tenant: disk full/, 'and nothing else, such as a connection');
  const {stdout} = await stack.rempart('tenant', 'list');
  assert.ok(!stdout.includes('Never'), 'no half-made tenant');
});

test('room again: writing resumes', {skip}, async () => {
  fs.rmSync(ballast());
  await takesWrites();
});

test('to the last byte: reading goes on, no role is lost for good', {skip}, async () => {
  fillTo(0);
  await refused('writes refused on a full disk');
  await reading();
  fs.rmSync(ballast());
  await takesWrites();
});

test('each note that was acknowledged stands, none that was refused, and the log is whole', {skip}, async () => {
  assert.ok(notes.kept.length >= 3 && notes.refused.length >= 2, JSON.stringify(notes));
  for (const text of notes.kept) assert.ok(await noteStands(text), `kept: ${text}`);
  for (const text of notes.refused) assert.ok(!await noteStands(text), `refused: ${text}`);
  const verified = await stack.rempart('verify', stack.file('ledger'));
  assert.equal(verified.code, 0, verified.stdout + verified.stderr);
});
