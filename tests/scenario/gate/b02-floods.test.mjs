// Bad days at the door: connections that say nothing, HTTP/2 streams that are opened and dropped,
// bodies that trickle. A good client, who comes from elsewhere, is served all the while.
import assert from 'node:assert/strict';
import http2 from 'node:http2';
import net from 'node:net';
import tls from 'node:tls';
import {after, before, test} from 'node:test';
import {echoApp} from '../../lib/upstream.mjs';
import {sleep, until} from '../../lib/stack.mjs';
import {Gate} from './alone.mjs';

let gate, app;
before(async () => {
  app = await echoApp();
  gate = await Gate.start(({port}) => `host: localhost
gate: {listen: ${port}, body_max_kib: 64}
apps: [{name: echo, upstream: "${app.url}", sign_in: none}]
`);
});
after(async () => { await gate?.stop(); await app?.close(); });

const served = async (n, from) => {
  let good = 0;
  for (let i = 0; i < n; i++) good += (await gate.ask('/', {more: {localAddress: from}}).catch(() => null))?.status === 200;
  return good;
};

test('a thousand slow connections hold up nobody else', async () => {
  const slow = Array.from({length: 1000}, (_, i) => {
    const socket = tls.connect({host: '127.0.0.1', port: gate.port, servername: 'localhost', rejectUnauthorized: false, localAddress: `127.0.0.${2 + i % 2}`});
    socket.on('error', () => {});
    socket.on('secureConnect', () => socket.write('GET / HTTP/1.1\r\nHost: loc'));
    return socket;
  });
  try {
    await until('most are connected', () => slow.filter(socket => socket.getProtocol?.()).length > 500, {seconds: 60});
    assert.ok(await served(50, '127.0.0.9') >= 50, 'every request of the good client is served');
  } finally {
    for (const socket of slow) socket.destroy();
  }
});

test('one that is slow for a moment is served: slow is no crime', async () => {
  const socket = tls.connect({host: '127.0.0.1', port: gate.port, servername: 'localhost', rejectUnauthorized: false, localAddress: '127.0.0.5'});
  let answer = '';
  socket.on('error', () => {});
  socket.on('data', data => { answer += data; });
  await new Promise(resolve => { socket.once('secureConnect', resolve); });
  socket.write('GET / HTTP/1.1\r\nHost: loc');
  await sleep(1000);
  socket.write(`alhost:${gate.port}\r\n\r\n`);
  await until('an answer', () => answer.startsWith('HTTP/1.1 200'), {seconds: 30});
  socket.destroy();
});

test('silent connections are closed', async () => {
  const socket = net.connect(gate.port, '127.0.0.1');
  let closed = false;
  socket.on('close', () => { closed = true; });
  socket.on('error', () => {});
  await until('closed', () => closed, {seconds: 60});
});

test('HTTP/2 streams that are opened and reset cost nobody else a request', async () => {
  const session = http2.connect(`https://localhost:${gate.port}`, {rejectUnauthorized: false, localAddress: '127.0.0.4'});
  let ended = false, opened = 0;
  session.on('close', () => { ended = true; });
  session.on('goaway', () => { ended = true; });
  session.on('error', () => { ended = true; });
  await new Promise(resolve => session.once('connect', resolve));
  const before = app.seen.length;
  for (let round = 0; round < 100 && !ended; round++) {
    for (let i = 0; i < 50 && !ended; i++, opened++) {
      try {
        const stream = session.request({':path': '/reset'});
        stream.on('error', () => {});
        stream.close(http2.constants.NGHTTP2_CANCEL);
      } catch { ended = true; }
    }
    await new Promise(resolve => setTimeout(resolve, 5));
  }
  assert.equal(await served(30, '127.0.0.10'), 30);
  assert.ok(app.seen.length - before < opened, `${app.seen.length - before} of ${opened} reached the application`);
  session.destroy();
});

test('bodies and heads over the limits never reach the application', async () => {
  const before = app.seen.length;
  const large = await gate.ask('/', {method: 'POST', body: 'x'.repeat(70000)}).catch(error => ({status: error.code}));
  assert.ok([413, 'EPIPE', 'ECONNRESET'].includes(large.status), `${large.status}`);
  assert.equal((await gate.ask('/', {headers: {'x-large': 'x'.repeat(20000)}})).status, 431);
  assert.equal((await gate.ask(`/${'x'.repeat(20000)}`)).status, 414);
  assert.equal(app.seen.length, before);
});
