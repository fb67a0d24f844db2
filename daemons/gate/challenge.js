// challenge.js — the puzzle of the page "under attack" (src/shield/attack.h), solved in the browser
// without anybody else: four numbers whose SHA-256 begins with enough zero bits. The gate left the
// question in a cookie: END.CHALLENGE.BITS; the answer goes into another one.
'use strict';
(() => {
  const K = [], first = [];
  // FIPS 180-4: fractional parts of the roots of the first primes.
  for (let n = 2; K.length < 64; n++) {
    let prime = true;
    for (let d = 2; d * d <= n; d++) if (n % d === 0) { prime = false; break; }
    if (!prime) continue;
    if (first.length < 8) first.push(Math.pow(n, 1 / 2) % 1 * 4294967296 | 0);
    K.push(Math.pow(n, 1 / 3) % 1 * 4294967296 | 0);
  }
  const w = new Int32Array(64);
  // The first word of the SHA-256 of a text of fewer than 56 bytes.
  const hash = text => {
    w.fill(0, 0, 16);
    for (let i = 0; i < text.length; i++) w[i >> 2] |= text.charCodeAt(i) << 24 - i % 4 * 8;
    w[text.length >> 2] |= 128 << 24 - text.length % 4 * 8;
    w[15] = text.length * 8;
    for (let i = 16; i < 64; i++) {
      const x = w[i - 15], y = w[i - 2];
      w[i] = w[i - 16] + w[i - 7] + ((x >>> 7 | x << 25) ^ (x >>> 18 | x << 14) ^ x >>> 3) +
        ((y >>> 17 | y << 15) ^ (y >>> 19 | y << 13) ^ y >>> 10);
    }
    let [a, b, c, d, e, f, g, h] = first;
    for (let i = 0; i < 64; i++) {
      const t = h + ((e >>> 6 | e << 26) ^ (e >>> 11 | e << 21) ^ (e >>> 25 | e << 7)) +
        (e & f ^ ~e & g) + K[i] + w[i] | 0;
      const u = ((a >>> 2 | a << 30) ^ (a >>> 13 | a << 19) ^ (a >>> 22 | a << 10)) + (a & b ^ a & c ^ b & c);
      h = g; g = f; f = e; e = d + t | 0; d = c; c = b; b = a; a = t + u | 0;
    }
    return a + first[0] >>> 0;
  };
  const show = id => { document.getElementById(id).hidden = false; };
  let cookies = '';
  try { cookies = document.cookie; } catch { /* a browser may refuse even to be asked */ }
  const asked = cookies.split('; ').find(one => one.startsWith('__Host-rempart-ask='));
  if (!asked) { show('no-cookie'); return; }
  show('working');
  const [end, challenge, bits] = asked.slice(asked.indexOf('=') + 1).split('.');
  const found = [];
  let number = 0;
  const work = () => {
    const until = performance.now() + 40; // then the page breathes
    while (performance.now() < until) {
      for (let i = 0; i < 500; i++, number++) {
        if (hash(`${challenge}.${found.length}.${number}`) >>> 32 - bits !== 0) continue;
        found.push(number);
        number = -1;
        if (found.length < 4) continue;
        document.cookie = `__Host-rempart-pass=${end}.${found.join('.')}; Path=/; Secure; SameSite=Lax; Max-Age=3600`;
        location.reload();
        return;
      }
    }
    setTimeout(work, 0);
  };
  work();
})();
