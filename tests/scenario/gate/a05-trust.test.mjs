// What `rempart gate trust` prints is what the gate serves under.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {bin, run} from '../../lib/stack.mjs';
import {Gate} from './alone.mjs';

let gate;
before(async () => { gate = await Gate.start(({port}) => `host: localhost\ngate: {listen: ${port}}\n`); });
after(async () => { await gate?.stop(); });

const ask = (...args) => run(path.join(bin, 'rempart'), args, {env: {...process.env, LC_ALL: 'en_US.UTF-8'}});

test('the certificate goes to stdout, what to do with it to stderr', async () => {
  const {code, stdout, stderr} = await ask('gate', 'trust', '--state', gate.state);
  assert.equal(code, 0, stderr);
  assert.equal(stdout, fs.readFileSync(gate.file('gate/tls/ca.pem'), 'utf8'));
  assert.match(stderr, /valid until 20\d\d-/);
  assert.match(stderr, /update-ca-certificates/);
});

test('without a local authority it says why', async () => {
  fs.renameSync(gate.file('gate/tls/ca.pem'), gate.file('gate/tls/away.pem'));
  const {code, stdout, stderr} = await ask('gate', 'trust', '--state', gate.state);
  assert.equal(code, 1);
  assert.equal(stdout, '');
  assert.match(stderr, /no local authority/);
});
