// waf_hostile.mjs PORT [SECONDS] — what a good client waits for (the 99th percentile of its GETs, one after another) while
// nobody else is there, and while eight connections send the worst that we know. Prints both, in milliseconds.
// With a third word it is the hostile side: eight connections that never pause, until it is ended.
import http from 'node:http';
import {spawn} from 'node:child_process';

const [port, seconds, side] = [Number(process.argv[2]), Number(process.argv[3] ?? 8), process.argv[4]];
const path = '/catalogue/shoes?page=2&sort=price&size=42&colour=dark%20blue';
const browser = {
  host: 'shop.example.com', 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'accept-language': 'fr-FR,fr;q=0.8,en-US;q=0.5,en;q=0.3',
  'accept-encoding': 'identity', cookie: 'session=8f14e45fceea167a5a36dedd4bea2543; lang=fr; theme=light',
};
const form = 'application/x-www-form-urlencoded', json = 'application/json';
// Long words of SQL and shells that nearly match, many small values, deep structures, layers of encoding.
const worst = [
  [form, 'q=' + "a' or 1=1 /*".repeat(2400).slice(0, 30000)],
  [form, Array.from({length: 900}, (_, i) => `f${i}=select+${i}+from+t`).join('&').slice(0, 30000)],
  [form, 'q=' + '(((((((((x'.repeat(12000).slice(0, 120000)],
  [form, 'q=' + '%253Cscript%253E'.repeat(7000).slice(0, 110000)],
  [json, JSON.stringify(Array.from({length: 700}, (_, i) => ({k: `union ${i} select`, v: '; cat /etc/x'}))).slice(0, 30000)],
  [json, JSON.stringify(Array.from({length: 2500}, (_, i) => ({k: `union ${i} select`})))],
  ['multipart/form-data; boundary=b', Array.from({length: 400}, (_, i) => `--b\r\nContent-Disposition: form-data; name="n${i}"\r\n\r\n<a href=x${i}\r\n`).join('') + '--b--\r\n'],
  [form, Array.from({length: 100}, (_, i) => `f${i}=union+select+${i}+--`).join('&').slice(0, 3900)], // too short for a thread
];

const send = (agent, method, headers, body) => new Promise((resolve, reject) => {
  const request = http.request({agent, host: '127.0.0.1', port, path, method, headers}, response => response.resume().on('end', () => resolve(response.statusCode)));
  request.on('error', reject);
  request.end(body);
});

if (side) {
  const agent = new http.Agent({keepAlive: true, maxSockets: 8});
  await Promise.all(worst.map(async ([type, body]) => {
    for (;;) await send(agent, 'POST', {...browser, 'content-type': type, 'content-length': Buffer.byteLength(body)}, body).catch(() => 0);
  }));
}

const agent = new http.Agent({keepAlive: true, maxSockets: 1});
const waits = async () => {
  const times = [];
  const end = performance.now() + seconds * 1000;
  while (performance.now() < end) {
    const began = performance.now();
    const status = await send(agent, 'GET', browser);
    if (status !== 200) throw new Error(`the good client got ${status}`);
    times.push(performance.now() - began);
    await new Promise(resolve => setTimeout(resolve, 3));
  }
  return times.sort((a, b) => a - b)[Math.floor(times.length * 0.99)];
};
for (let i = 0; i < 100; i++) await send(agent, 'GET', browser);
const quiet = await waits();
const hostile = spawn(process.execPath, [process.argv[1], String(port), '0', 'hostile'], {stdio: 'inherit'});
await new Promise(resolve => setTimeout(resolve, 1000));
const busy = await waits();
hostile.kill();
agent.destroy();
console.log(`${quiet.toFixed(2)} ${busy.toFixed(2)}`);
