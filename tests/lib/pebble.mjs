// pebble.mjs — an ACME authority for tests: Debian's pebble with its own DNS, and in front of it a server of ours
// that can be told to misbehave as a broken or hostile authority would.
//
//   const authority = await Pebble.start({httpPort});   // httpPort: where it looks for challenges; bound: {KEYID: KEY}, without
//                                                       // which it makes no account (EAB)
//   authority.url, authority.bundle (PEM of whom to trust), authority.through (what starts a program that trusts it)
//   authority.front = (request, answer) => answer or null     changes what the client gets: {status, headers, body}
//   await authority.restart({validity: 20});                  // it forgets accounts, and has a new root
import {spawn} from 'node:child_process';
import fs from 'node:fs';
import https from 'node:https';
import os from 'node:os';
import path from 'node:path';
import {freePort, run, until} from './stack.mjs';

// Debian's root store is replaced for one program and its children alone: a mount namespace of its own.
const inPrivate = bundle => ['unshare', '-m', '--propagation', 'private', 'sh', '-c',
  'mount --bind "$0" /etc/ssl/certs/ca-certificates.crt && exec "$@"', bundle];

export class Pebble {
  static async installed() {
    return process.getuid() === 0 && (await run('sh', ['-c', 'command -v pebble && command -v pebble-challtestsrv && command -v uacme'])).code === 0;
  }

  static async start({httpPort, validity = 3600, bound} = {}) {
    const self = new Pebble();
    Object.assign(self, {httpPort, bound, front: null, asked: [], folder: fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-pebble-'))});
    fs.chmodSync(self.folder, 0o755);
    self.bundle = path.join(self.folder, 'bundle.pem');
    self.through = inPrivate(self.bundle);
    await self.makeCertificate();
    [self.port, self.management, self.dns] = [await freePort(), await freePort(), await freePort()];
    self.names = spawn('pebble-challtestsrv', ['-defaultIPv4', '127.0.0.1', '-defaultIPv6', '', '-dns01', `127.0.0.1:${self.dns}`,
      '-http01', '', '-https01', '', '-tlsalpn01', '', '-management', `127.0.0.1:${await freePort()}`], {stdio: 'ignore'});
    self.server = https.createServer({key: self.key, cert: self.cert}, (request, response) => self.pass(request, response));
    await new Promise((resolve, reject) => self.server.on('error', reject).listen(0, '127.0.0.1', resolve));
    self.url = `https://localhost:${self.server.address().port}/dir`;
    await self.restart({validity});
    return self;
  }

  file(name) { return path.join(this.folder, name); }

  async makeCertificate() {
    const script = 'openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout ca.key -out ca.pem -days 2 -subj "/CN=Test" ' +
      '-addext basicConstraints=critical,CA:TRUE && openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout key.pem -out csr -subj /CN=localhost && ' +
      'printf "subjectAltName=DNS:localhost,IP:127.0.0.1\\n" >ext && openssl x509 -req -in csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out cert.pem';
    const {code, stderr} = await run('sh', ['-c', script], {cwd: this.folder});
    if (code !== 0) throw new Error(stderr);
    [this.key, this.cert, this.ca] = ['key.pem', 'cert.pem', 'ca.pem'].map(name => fs.readFileSync(this.file(name), 'utf8'));
  }

  // A new pebble: what it knew is gone, as after a disaster at the authority.
  async restart({validity = 3600} = {}) {
    await this.end(this.child);
    fs.writeFileSync(this.file('pebble.json'), JSON.stringify({pebble: {listenAddress: `127.0.0.1:${this.port}`,
      managementListenAddress: `127.0.0.1:${this.management}`, certificate: this.file('cert.pem'), privateKey: this.file('key.pem'),
      httpPort: this.httpPort, tlsPort: 1, externalAccountBindingRequired: !!this.bound, externalAccountMACKeys: this.bound ?? {},
      certificateValidityPeriod: validity}}));
    this.child = spawn('pebble', ['-config', this.file('pebble.json'), '-dnsserver', `127.0.0.1:${this.dns}`],
      {stdio: 'ignore', env: {...process.env, PEBBLE_VA_NOSLEEP: '1', PEBBLE_WFE_NONCEREJECT: '15', PEBBLE_AUTHZREUSE: '0'}});
    this.root = await until('pebble', async () => (await this.ask(this.management, '/roots/0')).body);
    fs.writeFileSync(this.bundle, this.ca + this.root); // in place: it is mounted
  }

  ask(port, target, {method = 'GET', headers = {}, body} = {}) {
    return new Promise((resolve, reject) => https.request({port, host: '127.0.0.1', path: target, method, headers, ca: this.ca, servername: 'localhost', agent: false},
      answer => {
        const parts = [];
        answer.on('data', part => parts.push(part)).on('end', () =>
          resolve({status: answer.statusCode, headers: answer.headers, body: Buffer.concat(parts).toString('latin1')}));
      }).on('error', reject).end(body));
  }

  async pass(request, response) {
    const parts = [];
    for await (const part of request) parts.push(part);
    this.asked.push(`${request.method} ${request.url}`);
    try {
      let answer = await this.ask(this.port, request.url, {method: request.method, headers: request.headers, body: Buffer.concat(parts)});
      answer = this.front?.(request, answer) || answer;
      const {'transfer-encoding': _, 'content-length': __, ...headers} = answer.headers;
      response.writeHead(answer.status, headers).end(Buffer.from(answer.body, 'latin1'));
    } catch {
      request.socket.destroy();
    }
  }

  async end(child) {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise(resolve => child.on('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async stop() {
    await this.end(this.child);
    await this.end(this.names);
    this.server.closeAllConnections();
    await new Promise(resolve => this.server.close(resolve));
    fs.rmSync(this.folder, {recursive: true, force: true});
  }
}
