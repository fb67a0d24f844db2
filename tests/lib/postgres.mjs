// postgres.mjs — a PostgreSQL of the test's own: in a temporary folder, behind a UNIX socket there.
//
//   const server = await Postgres.start();          // a cluster, the role rempart and its reader, a database
//   server.url()                                    // for `store:`; url({schema: 'two'})
//   await server.sql('SELECT 1', {user: 'postgres'})
//   await server.halt(); await server.go();         // as an operator's restart; kill(): as a crash
//   await server.stop();                            // and the folder goes
//
// PostgreSQL refuses to run as root: then it runs as the system's user of that name.
import {spawn, execFileSync} from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import {run, until} from './stack.mjs';

const programs = '/usr/lib/postgresql/15/bin';
export const hasPostgres = fs.existsSync(`${programs}/postgres`);

const settings = folder => `
listen_addresses = ''
unix_socket_directories = '${folder}'
unix_socket_permissions = 0777
max_connections = 100
shared_buffers = 32MB
fsync = off
full_page_writes = off
log_min_messages = fatal
`;

// The roles are trusted: the folder is the test's, and who may come in is not what is tested here.
const roles = `
CREATE ROLE rempart LOGIN;
CREATE ROLE rempart_reader LOGIN;
CREATE DATABASE rempart OWNER rempart;
`;

export class Postgres {
  static async start() {
    const server = new Postgres();
    server.folder = fs.mkdtempSync(path.join(os.tmpdir(), 'rempart-pg-'));
    fs.chmodSync(server.folder, 0o755);
    server.user = process.getuid() === 0 ? ids('postgres') : {};
    if (server.user.uid) fs.chownSync(server.folder, server.user.uid, server.user.gid);
    try {
      await server.make();
      await server.go();
      await server.sql(roles, {user: 'postgres', database: 'postgres'});
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  get data() { return path.join(this.folder, 'data'); }
  options() { return {...this.user, cwd: this.folder, env: {PATH: process.env.PATH, LANG: 'C.UTF-8'}}; }

  async make() {
    const {code, stderr} = await run(`${programs}/initdb`,
      ['-D', this.data, '-U', 'postgres', '-A', 'trust', '--locale=C', '--encoding=UTF8', '--no-sync'], this.options());
    if (code !== 0) throw new Error(`initdb: ${stderr}`);
    fs.appendFileSync(path.join(this.data, 'postgresql.conf'), settings(this.folder));
  }

  async go() {
    this.child = spawn(`${programs}/postgres`, ['-D', this.data], {...this.options(), stdio: ['ignore', 'ignore', 'pipe']});
    this.log = '';
    this.child.stderr.on('data', data => { this.log += data; });
    this.ended = new Promise(resolve => this.child.on('close', resolve));
    await until('PostgreSQL answers', async () => {
      if (this.child.exitCode !== null) throw new Error(this.log);
      return (await run(`${programs}/pg_isready`, ['-q', '-h', this.folder, '-U', 'postgres'], this.options())).code === 0;
    });
  }

  // "fast" as an operator's restart: connections are ended, nothing is lost.
  async halt(signal = 'SIGINT') {
    this.child?.kill(signal);
    await this.ended;
  }

  // As a crash: at once, without writing anything.
  kill() { return this.halt('SIGQUIT'); }

  async stop() {
    if (this.child && this.child.exitCode === null) await this.kill();
    fs.rmSync(this.folder, {recursive: true, force: true});
  }

  url({user = 'rempart', schema} = {}) {
    return `postgresql://${user}@/rempart?host=${this.folder}${schema ? `&schema=${schema}` : ''}`;
  }

  // One answer, unaligned; the schema's tables are found by their names.
  sql(text, {user = 'rempart', database = 'rempart', schema = 'rempart'} = {}) {
    return psql(this.url({user}).replace('/rempart?', `/${database}?`), text, {schema});
  }
}

// PostgreSQL's own shell at a store's URL.
export async function psql(url, text, {schema = 'rempart'} = {}) {
  const [, user, database, host] = /^postgresql:\/\/([^@]+)@\/([^?]+)\?host=([^&]+)/.exec(url);
  const {code, stdout, stderr} = await run('psql', ['-qAtX', '-v', 'ON_ERROR_STOP=1', '-h', host, '-U', user, '-d', database, '-f', '-'],
    {input: `SET search_path = ${schema};\n${text}`, env: {PATH: process.env.PATH, PGCONNECT_TIMEOUT: '5'}});
  if (code !== 0) throw new Error(`psql: ${stderr.trim()}`);
  return stdout.trim();
}

function ids(name) {
  const number = flag => Number(execFileSync('id', [flag, name], {encoding: 'utf8'}));
  return {uid: number('-u'), gid: number('-g')};
}
