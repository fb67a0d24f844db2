// alone.mjs — the gate without the rest of the house: its tables are written by session-table, its
// core is a few lines of FastCGI that answer what a test says. For answers that the real core
// gives rarely; the ordinary path is tests/scenario/a*.test.mjs, with the real one.
import {execFileSync, spawn} from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import net from 'node:net';
import os from 'node:os';
import path from 'node:path';
import tls from 'node:tls';
import {bin, freePort, root, until} from '../../lib/stack.mjs';

const build = path.dirname(bin);
const tool = path.join(build, 'tests/tools/session-table');
const program = [path.join(build, 'daemons/gate/rempart-gate'), path.join(bin, 'rempart-gate')].find(file => fs.existsSync(file));
export const module = path.join(build, 'edge/nginx/ngx_http_rempart_module.so');

export const cookie = (letter = 'k') => letter.repeat(43);
export const id = digit => digit.repeat(32);

// A FastCGI responder: answer(params, body) gives {status, headers, body}, or null to say nothing.
export async function fastcgi(file, answer) {
  const asked = [];
  const server = net.createServer(socket => {
    let pending = Buffer.alloc(0), params = Buffer.alloc(0), body = Buffer.alloc(0);
    const record = (type, id, content) => {
      const head = Buffer.from([1, type, id >> 8, id & 255, content.length >> 8, content.length & 255, 0, 0]);
      return Buffer.concat([head, content]);
    };
    const read = bytes => {
      const found = {};
      for (let at = 0; at < bytes.length;) {
        const length = () => { const n = bytes[at] & 128 ? bytes.readUInt32BE(at) & 0x7fffffff : bytes[at]; at += bytes[at] & 128 ? 4 : 1; return n; };
        const name = length(), value = length();
        found[bytes.toString('latin1', at, at + name)] = bytes.toString('latin1', at + name, at + name + value);
        at += name + value;
      }
      return found;
    };
    const finish = async id => {
      const one = {params: read(params), body};
      params = body = Buffer.alloc(0);
      asked.push(one);
      const said = await answer(one.params, one.body);
      if (!said) return;
      const head = Object.entries({Status: said.status, ...said.headers}).map(([name, value]) => `${name}: ${value}\r\n`).join('');
      socket.write(Buffer.concat([record(6, id, Buffer.from(`${head}\r\n${said.body ?? ''}`)), record(6, id, Buffer.alloc(0)), record(3, id, Buffer.alloc(8))]));
    };
    socket.on('error', () => {});
    socket.on('data', data => {
      pending = Buffer.concat([pending, data]);
      while (pending.length >= 8) {
        const id = pending.readUInt16BE(2), n = pending.readUInt16BE(4), whole = 8 + n + pending[6];
        if (pending.length < whole) return;
        const content = pending.subarray(8, 8 + n);
        if (pending[1] === 4) params = Buffer.concat([params, content]);
        if (pending[1] === 5) { if (n === 0) finish(id); else body = Buffer.concat([body, content]); }
        pending = pending.subarray(whole);
      }
    });
  });
  await new Promise((resolve, reject) => server.on('error', reject).listen(file, resolve));
  fs.chmodSync(file, 0o777);
  return {asked, close: () => new Promise(resolve => server.close(resolve))};
}

export class Gate {
  static async start(config, {folder} = {}) {
    const gate = new Gate();
    gate.state = folder ?? fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-gate-'));
    fs.chmodSync(gate.state, 0o755);
    gate.port = await freePort();
    gate.plain = await freePort();
    for (const one of ['run', 'ledger/public']) fs.mkdirSync(path.join(gate.state, one), {recursive: true});
    // These tests are about what the gate does by itself; the rules have their own (f01, f02, sabotage/waf).
    const text = config(gate);
    fs.writeFileSync(gate.file('rempart.yaml'), /^waf:/m.test(text) ? text : `${text.trimEnd()}\nwaf: {mode: off}\n`);
    gate.table('init');
    gate.log = '';
    gate.child = spawn(program, ['--state', gate.state, '--module', module], {stdio: ['ignore', 'ignore', 'pipe', 'pipe'], env: {...process.env, REMPART_READY_FD: '3'}});
    gate.child.stderr.on('data', data => { gate.log += data; });
    gate.said = '';
    gate.child.stdio[3].on('data', data => { gate.said += data; });
    gate.ended = new Promise(resolve => gate.child.on('close', resolve));
    await until(`the gate is ready:\n${gate.log}`, () => {
      if (gate.child.exitCode !== null) throw new Error(`ended with ${gate.child.exitCode}: ${gate.log}`);
      return gate.said.startsWith('ready\n');
    }, {every: 20});
    return gate;
  }

  file(...parts) { return path.join(this.state, ...parts); }
  table(...words) { return execFileSync(tool, [this.file('run'), ...words.map(String)], {encoding: 'utf8'}); }
  // Everything that all workers recorded since the last look.
  records() {
    const rings = fs.readdirSync(this.file('run')).filter(name => name.startsWith('ring.'));
    return rings.flatMap(name => this.table('drain', name.slice(5)).split('\n').filter(Boolean));
  }
  get worker() {
    return fs.readFileSync(`/proc/${this.child.pid}/task/${this.child.pid}/children`, 'utf8').trim().split(' ').map(Number);
  }

  // A person who signed in: their cookie, and a fresh assertion for the application.
  signIn(letter, {acr = 2, app = 'echo', seconds = 600, jwt = 'head.claims.signature', age = 0} = {}) {
    this.table('put', cookie(letter), acr, id('1'), id('2'), id('3'), seconds);
    if (app) this.table('assert', id('1'), app, jwt, 'ann@example.test', 'member tenant_admin', age);
    return {cookie: `__Host-rempart=${cookie(letter)}`};
  }

  ask(target, {method = 'GET', headers = {}, body, host = 'localhost', more = {}} = {}) {
    return new Promise((resolve, reject) => {
      const request = https.request({method, host: '127.0.0.1', port: this.port, servername: host === 'unknown.test' ? 'localhost' : host, path: target, agent: false,
        checkServerIdentity: host === 'unknown.test' ? () => undefined : tls.checkServerIdentity, ca: fs.readFileSync(this.file('gate/tls/ca.pem')), headers: {host: `${host}:${this.port}`, ...headers}, ...more}, response => {
        const parts = [];
        response.on('data', part => parts.push(part));
        response.on('end', () => resolve({status: response.statusCode, headers: response.headers, text: Buffer.concat(parts).toString()}));
        response.on('error', reject);
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  async stop() {
    this.child.kill('SIGTERM');
    await this.ended;
    fs.rmSync(this.state, {recursive: true, force: true});
  }
}

export {root};
