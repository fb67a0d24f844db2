// Ten thousand connections that say nearly nothing, from forty addresses: whoever comes from
// elsewhere is served all the while, and the silent ones are sent away.
import assert from 'node:assert/strict';
import net from 'node:net';
import {after, before, test} from 'node:test';
import {echoApp} from '../../lib/upstream.mjs';
import {until} from '../../lib/stack.mjs';
import {Gate} from './alone.mjs';

const SLOW = 10000, GOOD = 100;
let gate, app;
before(async () => {
  app = await echoApp();
  gate = await Gate.start(({port}) => `host: localhost
gate: {listen: ${port}}
apps: [{name: echo, upstream: "${app.url}", sign_in: none}]
`);
});
after(async () => { await gate?.stop(); await app?.close(); });

// The first bytes of a ClientHello, of more than will ever come.
const beginning = Buffer.from([22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3]);

function open(i) {
  const socket = net.connect({host: '127.0.0.1', port: gate.port, localAddress: `127.0.9.${1 + i % 40}`});
  socket.on('error', () => {});
  socket.on('connect', () => { socket.write(beginning); });
  return socket;
}

/*= S51, S52 type=test */
test('ten thousand slow connections hold up nobody else', async t => {
  const slow = [];
  const alive = () => slow.filter(socket => socket.readyState === 'open').length;
  try {
    for (let i = 0; i < SLOW; i++) {
      slow.push(open(i));
      if (i % 200 === 199) await new Promise(resolve => setTimeout(resolve, 5));
    }
    await until('they stand', () => alive() >= SLOW * 0.95, {seconds: 12, every: 50});
    const at = alive();
    let good = 0, worst = 0;
    for (let i = 0; i < GOOD; i++) {
      const from = Date.now();
      good += (await gate.ask('/', {more: {localAddress: '127.0.0.9', agent: false}}).catch(() => null))?.status === 200;
      worst = Math.max(worst, Date.now() - from);
    }
    t.diagnostic(`${at} slow connections stood, ${alive()} at the end; ${good} of ${GOOD} requests served, the slowest in ${worst} ms`);
    assert.ok(at >= SLOW * 0.95, `${at} stood`);
    assert.ok(good >= GOOD * 0.99, `${good} of ${GOOD} served`);
    await until('the silent ones are sent away', () => alive() === 0, {seconds: 30, every: 500});
    assert.equal((await gate.ask('/')).status, 200);
  } finally {
    for (const socket of slow) socket.destroy();
  }
});
