// The firewall and nginx's habits: headers that nginx drops, heads over several buffers, requests one after another on a
// connection, redirects within, long bodies beside the loop, and what rules remember of an address.
import assert from 'node:assert/strict';
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import http2 from 'node:http2';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import {after, before, test} from 'node:test';
import {bin, freePort, run, until} from '../lib/stack.mjs';
import {echoApp} from '../lib/upstream.mjs';

const rules = `SecRuleEngine On
SecRequestBodyAccess On
SecRequestBodyNoFilesLimit 131072
SecRule REQUEST_HEADERS "@contains forbidden" "id:1,phase:1,deny,status:403"
SecRule &REQUEST_HEADERS:X-Twice "@gt 1" "id:2,phase:1,deny,status:418"
SecRule ARGS_POST "@contains forbidden" "id:3,phase:2,deny,status:403"
SecRule REQUEST_URI "@beginsWith /counted" "id:4,phase:1,pass,nolog,setvar:ip.seen=+1,expirevar:ip.seen=60,initcol:ip=%{REMOTE_ADDR}"
SecRule IP:seen "@gt 3" "id:5,phase:1,deny,status:429"
SecRule REQUEST_URI "@beginsWith /away" "id:6,phase:1,redirect:'/elsewhere',status:302"
SecRule REQUEST_URI "@beginsWith /dropped" "id:7,phase:1,drop"
SecRule REQUEST_HEADERS_NAMES "@streq X-Marked" "id:8,phase:1,pass,log,msg:'seen'"
SecRule REQUEST_LINE "!@rx ^[A-Z]+ /[^ ]* HTTP/[0-9.]+$" "id:9,phase:1,pass,log,msg:'line'"
SecRule REQUEST_PROTOCOL "!@within HTTP/1.0 HTTP/1.1" "id:10,phase:1,pass,log,msg:'version'"
SecRule ARGS "@contains marked" "id:11,phase:2,pass,log,msg:'argument'"
`;
let folder, nginx, app, port, second, secondAll;
before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-came-'));
  fs.chmodSync(folder, 0o755);
  fs.mkdirSync(`${folder}/run`, {mode: 0o755});
  app = await echoApp();
  [port, second, secondAll] = [await freePort(), await freePort(), await freePort()];
  fs.writeFileSync(`${folder}/rules.conf`, rules);
  const made = await run(path.join(bin, 'rempart'), ['waf', 'compile', '--rules', `${folder}/rules.conf`, '-o', `${folder}/rules.waf`]);
  assert.equal(made.code, 0, made.stderr);
  fs.writeFileSync(`${folder}/nginx.conf`, `load_module ${path.resolve(bin)}/ngx_http_rempart_module.so;
pid ${folder}/pid; error_log ${folder}/error.log notice; worker_processes 2; events {}
http { access_log off; ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(kind => `${kind}_temp_path ${folder}/tmp;`).join(' ')}
 client_header_buffer_size 256; large_client_header_buffers 8 1k; client_body_buffer_size 16k;
 rempart_state ${folder}/run; rempart_confine write ${folder};
 rempart_waf ${folder}/rules.waf on;
 server { listen 127.0.0.1:${port};
  location / { proxy_pass ${app.url}; }
  location /within { rewrite ^ /counted-once last; }
  location /off { rempart_waf off; proxy_pass ${app.url}; } }
 server { listen 127.0.0.1:${second} http2; location / { proxy_pass ${app.url}; } }
 server { listen 127.0.0.1:${secondAll} http2; ignore_invalid_headers off; location / { proxy_pass ${app.url}; } } }`);
  nginx = spawn('/usr/sbin/nginx', ['-c', `${folder}/nginx.conf`, '-g', 'daemon off;'], {stdio: 'ignore'});
  await until('nginx', async () => (await raw('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).includes(' 200 '));
});
after(async () => {
  nginx?.kill('SIGTERM');
  await new Promise(resolve => (nginx ? nginx.on('close', resolve) : resolve()));
  await app?.close();
  fs.rmSync(folder, {recursive: true, force: true});
});

function raw(bytes) {
  return new Promise((resolve, reject) => {
    let text = '';
    const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setTimeout(10000, () => socket.destroy(new Error('no answer')));
    socket.on('data', part => { text += part.toString('latin1'); }).on('end', () => resolve(text)).on('error', reject);
  });
}
const statuses = text => [...text.matchAll(/^HTTP\/1\.1 (\d+)/gm)].map(([, status]) => Number(status));
const head = (line, ...headers) => [`${line} HTTP/1.1`, 'Host: a', ...headers, 'Connection: close', '', ''].join('\r\n');
const log = () => fs.readFileSync(`${folder}/error.log`, 'utf8');

/*= S58 type=test */
test('a header that nginx drops is judged: first, in the middle, last, and after one with spaces', async () => {
  const bad = 'X_Odd: forbidden';
  for (const headers of [[bad], [bad, 'A: 1'], ['A: 1', bad, 'B: 2'], ['A: 1   ', bad], ['A:', bad], ['Bad Name: x'.replace(' ', '('), bad]]) {
    assert.deepEqual(statuses(await raw(head('GET /', ...headers))), [403], headers.join('|'));
  }
  assert.deepEqual(statuses(await raw(`GET / HTTP/1.1\nHost: a\nA: 1\n${bad}\nConnection: close\n\n`)), [403], 'lines that end in LF alone');
  assert.deepEqual(statuses(await raw(head('GET /', 'X_Odd: fine', 'A: 1'))), [200]);
});

/*= S58 type=test */
test('a head over several buffers is seen whole, and twice the same header is two', async () => {
  const long = Array.from({length: 12}, (_, i) => `X-Long-${i}: ${'y'.repeat(300)}`);
  for (let at = 0; at <= long.length; at++) {
    const headers = [...long.slice(0, at), 'X_Odd: forbidden', ...long.slice(at)];
    assert.deepEqual(statuses(await raw(head('GET /', ...headers))), [403], `at ${at}`);
  }
  assert.deepEqual(statuses(await raw(head('GET /', ...long))), [200]);
  assert.deepEqual(statuses(await raw(head(`GET /?${'z'.repeat(600)}`, ...long, 'X_Odd: forbidden'))), [403], 'after a long first line');
  assert.deepEqual(statuses(await raw(head('GET /', 'X-Twice: 1', 'X-Twice: 2'))), [418]);
});

test('requests on one connection are judged each for itself', async () => {
  const one = 'GET / HTTP/1.1\r\nHost: a\r\nX_A: fine\r\n\r\n', bad = 'GET / HTTP/1.1\r\nHost: a\r\nX_A: forbidden\r\n\r\n';
  assert.deepEqual(statuses(await raw(one + bad + one + head('GET /'))), [200, 403, 200, 200]);
});

/*= S58 type=test */
test('within a worker\'s walls long bodies are judged beside the loop, also in a file and in pieces; over the limit is refused', async () => {
  const post = body => `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`;
  const long = `a=${'x'.repeat(100000)}`;
  const good = await raw(post(long));
  assert.deepEqual(statuses(good), [200]);
  assert.equal(JSON.parse(good.slice(good.indexOf('\r\n\r\n')).match(/\{[\s\S]*\}/)[0]).body.length, long.length);
  assert.deepEqual(statuses(await raw(post(`${long}&b=forbidden`))), [403]);
  const many = await Promise.all(Array.from({length: 12}, (_, i) => raw(post(i % 2 ? `${long}&b=forbidden` : long))));
  assert.deepEqual(many.map(text => statuses(text)[0]), Array.from({length: 12}, (_, i) => (i % 2 ? 403 : 200)));
  const piece = `${(50000).toString(16)}\r\n${'x'.repeat(50000)}\r\n`;
  const chunked = count => `POST / HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n2\r\na=\r\n${piece.repeat(count)}0\r\n\r\n`;
  assert.deepEqual(statuses(await raw(chunked(2))), [200]);
  const over = await raw(chunked(3));
  assert.deepEqual(statuses(over), [413]);
  assert.match(over, /Envoi trop volumineux/);
  assert.ok(!log().includes('exited on signal'), 'no worker was ended by its walls');
});

/*= S58 type=test */
test('what nginx itself refuses, before any phase, is in the log as the rules see it', async () => {
  const marked = 'X-Marked: 1\r\n', long = `X-Long: ${'y'.repeat(700)}\r\n`;
  const refused = [ // the bytes, nginx's answer, what matched
    [`|GET /?a=marked HTTP/1.0\r\n${marked}\r\n`, 400, [8, 9, 11]],
    [`\tGET / HTTP/1.1\n${marked.trim()}\n\n`, 400, [8, 9]],
    [`GET /?a=marked HTTP/4.0\r\nHost: a\r\n${marked}\r\n`, 505, [8, 10, 11]],
    [`CONNECT a:1 HTTP/1.1\r\nHost: a\r\n${marked}\r\n`, 400, [8, 9]],
    [`GET / HTTP/1.1\r\n${marked}\r\n`, 400, [8]], // no host
    [`GET / HTTP/1.1\r\nHost:\r\nX_A: 1\r\n${marked}\r\n`, 400, [8]],
    [`GET / HTTP/1.1\r\nHost: a\0b\r\n${marked}\r\n`, 400, [8]],
    [`GET / HTTP/1.1\r\nHost: a\r\n${long}${long}Host: b\r\n${marked}\r\n`, 400, [8]], // in a later buffer
    [`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n${marked}\r\nabc`, 400, [8]],
    [`POST / HTTP/1.1\r\nHost: a\r\n${marked}Transfer-Encoding: odd\r\n\r\n`, 501, [8]],
    ['\x16\x03\x01\x02\r\n\r\n', 400, [9]], ['|\n', 400, [9]],
  ];
  for (const [bytes, status, ids] of refused) {
    const from = log().length;
    assert.match(await raw(bytes), new RegExp(`^HTTP/1\\.1 ${status} `), bytes);
    const line = await until('its line', () => log().slice(from).match(/rempart_waf: refused by nginx itself, [^\n]*matched ([^\n]*) while/));
    assert.deepEqual([...line[1].matchAll(/(\d+)\(/g)].map(([, id]) => Number(id)).filter(id => id >= 8), ids, bytes);
  }
  const from = log().length;
  assert.deepEqual(statuses(await raw(`GET / HTTP/1.1\r\nHost: a\r\nX-Plain: 1\r\n\r\n|GET /\r\n\r\n`)), [200, 400], 'after one that was taken');
  await until('its line', () => /refused by nginx itself, [^\n]*matched 9\(/.test(log().slice(from)));
  assert.ok(!log().includes('exited on signal'));
});

test('an address is remembered by all workers, and a redirection within counts once', async () => {
  const seen = [];
  for (let i = 0; i < 3; i++) seen.push(statuses(await raw(head('GET /within')))[0]);
  assert.deepEqual(seen, [200, 200, 200]);
  for (let i = 0; i < 3; i++) seen.push(statuses(await raw(head('GET /counted')))[0]);
  assert.deepEqual(seen.slice(3), [200, 200, 200]);
  assert.deepEqual(statuses(await raw(head('GET /counted'))), [429]);
});

test('a rule may send elsewhere or say nothing; what matched without refusing is noted', async () => {
  assert.match(await raw(head('GET /away')), /^HTTP\/1\.1 302[\s\S]*\r\nLocation: \/elsewhere\r\n/);
  assert.equal(await raw(head('GET /dropped')), '');
  assert.deepEqual(statuses(await raw(head('GET /', 'X-Marked: 1'))), [200]);
  assert.match(log(), /\[notice\][^\n]*rempart_waf: noted, incident [0-9a-f]{32}[^\n]*matched 8\(/);
  assert.deepEqual(statuses(await raw(head('GET /off', 'X_Odd: forbidden'))), [200]);
});

// A request over HTTP/2 in the clear: its status, and what the application was sent.
async function overSecond(at, headers) {
  const session = http2.connect(`http://127.0.0.1:${at}`);
  try {
    const stream = session.request({':path': '/', ...headers});
    let status, text = '';
    stream.on('response', answer => { status = answer[':status']; }).setEncoding('utf8').on('data', part => { text += part; });
    await new Promise((resolve, reject) => stream.on('end', resolve).on('error', reject).end());
    return {status, text};
  } finally {
    session.destroy();
  }
}

/*= S58 type=test */
test('over HTTP/2 a header that nginx drops reaches neither rules nor application, and what it keeps is judged', async () => {
  const dropped = await overSecond(second, {x_note: 'forbidden'});
  assert.equal(dropped.status, 200);
  assert.ok(!/x_note/i.test(dropped.text), 'the application never sees it');
  assert.equal((await overSecond(second, {'x-note': 'forbidden'})).status, 403);
  const kept = await overSecond(secondAll, {x_note: 'harmless'});
  assert.equal(kept.status, 200);
  assert.match(kept.text, /x_note/i, 'where nginx keeps it, it goes through');
  assert.equal((await overSecond(secondAll, {x_note: 'forbidden'})).status, 403, 'and the rules have seen it');
});
