// Bad input before the start: a clear message, the place, and nothing half-started.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import net from 'node:net';
import {test} from 'node:test';
import {freePort, Stack} from '../lib/stack.mjs';

async function refused(config, ...patterns) {
  const stack = await Stack.start({app: null, config, expectReady: false});
  try {
    const code = await stack.ended;
    assert.equal(code, 2, stack.output);
    for (const pattern of patterns) assert.match(stack.output, pattern);
  } finally {
    await stack.stop();
  }
}

test('broken YAML names line and column', () =>
  refused('host: localhost\ngate:\n  listen: [8443\n', /line \d+/i, /column \d+/i));

test('an unknown key is refused by its name and place', () =>
  refused('host: localhost\ngate:\n  lisen: 8443\n', /lisen/, /line 3/));

test('a value out of range says what is allowed', () =>
  refused('host: localhost\ngate:\n  listen: 99999\n', /listen/, /65535/, /line 3/));

test('a port that is taken is named', async () => {
  const port = await freePort();
  const other = net.createServer().listen(port, '127.0.0.1');
  try {
    await refused(`host: localhost\ngate:\n  listen: ${port}\n`, new RegExp(`${port}`));
  } finally {
    other.close();
  }
});

test('check says the same as the start, and the sample is valid', async () => {
  const stack = await Stack.start({app: null, config: 'hosst: x\n', expectReady: false});
  await stack.ended;
  const bad = await stack.rempart('check');
  assert.equal(bad.code, 2);
  assert.match(bad.stderr, /hosst/);
  const sample = await stack.rempart('check', '--sample');
  assert.equal(sample.code, 0);
  fs.writeFileSync(stack.file('rempart.yaml'), sample.stdout);
  const good = await stack.rempart('check');
  assert.equal(good.code, 0, good.stderr);
  fs.writeFileSync(stack.file('rempart.yaml'), 'host: localhost\nwebhooks:\n  - name: ops\n    endpoint: https://ops.example.com/\n' +
    '    secret: rempart.yaml\n    events: [register.due, registr.due, "certificat.*", webhook.*, nothing.like.it, record.created, "share.*", "tenant.*"]\n');
  const warned = await stack.rempart('check');
  assert.equal(warned.code, 0, 'a newer release may know them');
  const lines = warned.stdout.split('\n').filter(line => line.includes('webhooks, ops'));
  assert.equal(lines.length, 5, warned.stdout);
  assert.match(lines[0], /line 6, column 28.*"registr\.due"; did you mean "register\.due"\?$/);
  assert.match(lines[1], /column 41.*"certificat\.\*"; did you mean "certificate\.\*"\?$/);
  assert.match(lines[2], /no event matches "nothing\.like\.it"$/);
  assert.match(lines[3], /"record\.created" happens only in the organisations' own logs/);
  assert.match(lines[4], /"share\.\*" happens only in/, 'and tenant.* is of both logs');
  await stack.stop();
});

test('commands against nobody say so and exit 3', async () => {
  const stack = await Stack.start({app: null, config: 'hosst: x\n', expectReady: false});
  await stack.ended;
  for (const command of [['status'], ['promises'], ['keys', 'status'], ['tenant', 'list']]) {
    const {code, stderr} = await stack.rempart(...command);
    assert.equal(code, 3, `${command}: ${stderr}`);
    assert.match(stderr, /rempart up/);
  }
  assert.equal((await stack.rempart('nonsense')).code, 2);
  assert.equal((await stack.rempart('promises', '--nonsense')).code, 2);
  await stack.stop();
});
