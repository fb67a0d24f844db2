// waf_load.mjs PORT get|form|json COUNT — requests like a browser's, one after another on four
// connections that stay open; every answer must be 200. What the figures of bench/waf are about.
import http from 'node:http';

const [port, kind, count] = [Number(process.argv[2]), process.argv[3], Number(process.argv[4])];
const browser = {
  host: 'shop.example.com', 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
  accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'accept-language': 'fr-FR,fr;q=0.8,en-US;q=0.5,en;q=0.3',
  'accept-encoding': 'identity', referer: 'https://shop.example.com/catalogue', 'sec-fetch-dest': 'document', 'sec-fetch-mode': 'navigate',
  'sec-fetch-site': 'same-origin', 'upgrade-insecure-requests': '1',
  cookie: 'session=8f14e45fceea167a5a36dedd4bea2543; lang=fr; theme=light; cart=4417; seen=2026-11-24',
};
const form = Array.from({length: 38}, (_, i) => [`field_${i}`, ['Martin', 'Camille', '12 rue des Lilas', 'Lyon', '69003', 'yes'][i % 6]]);
const leaf = i => ({id: i, name: `Product ${i}`, price: 12.5 + i, currency: 'EUR', stock: i * 3, available: true, colour: 'blue',
  description: 'Soft cotton, washable at thirty degrees', tags: ['new', 'summer'], supplier: {name: 'Tissages du Nord', city: 'Lille'}});
const bodies = {
  get: null,
  form: new URLSearchParams(form).toString(),
  json: JSON.stringify({order: 4417, items: Array.from({length: 32}, (_, i) => leaf(i))}),
};
const types = {form: 'application/x-www-form-urlencoded', json: 'application/json'};
const body = bodies[kind];
const headers = body ? {...browser, 'content-type': types[kind], 'content-length': Buffer.byteLength(body)} : browser;
const agent = new http.Agent({keepAlive: true, maxSockets: 4});

const one = () => new Promise((resolve, reject) => {
  const request = http.request({agent, host: '127.0.0.1', port, headers, method: body ? 'POST' : 'GET',
    path: '/catalogue/shoes?page=2&sort=price&size=42&colour=dark%20blue'}, response => {
    response.resume().on('end', () => response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`)));
  });
  request.on('error', reject);
  request.end(body);
});

let sent = 0;
const worker = async () => { while (sent++ < count) await one(); };
await Promise.all([worker(), worker(), worker(), worker()]);
agent.destroy();
