// waf_request.mjs get|form|json — a request like a browser's, as a script for wrk. What the figures of bench/waf are about.
const kind = process.argv[2];
const browser = {
  Host: 'shop.example.com', 'user-agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0',
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
const lua = text => JSON.stringify(text); // the texts here need no escape that Lua does not know
const body = bodies[kind];
const headers = body ? {...browser, 'content-type': types[kind]} : browser;
console.log(`wrk.method = ${lua(body ? 'POST' : 'GET')}
wrk.path = "/catalogue/shoes?page=2&sort=price&size=42&colour=dark%20blue"`);
for (const [name, value] of Object.entries(headers)) console.log(`wrk.headers[${lua(name)}] = ${lua(value)}`);
if (body) console.log(`wrk.body = ${lua(body)}`);
