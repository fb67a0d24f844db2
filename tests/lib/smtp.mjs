// smtp.mjs — a mail server for tests that keeps what it gets; with STARTTLS and AUTH PLAIN where asked.
//
//   const server = await Smtp.start({tls: {key, cert}, user: 'u', password: 'p'});
//   server.mails: [{from, to, text, tls, user}]    server.refuse = 'RCPT' | 'busy' | null; server.slow = ms before the last answer
import net from 'node:net';
import tls from 'node:tls';

export class Smtp {
  static async start(options = {}) {
    const server = new Smtp();
    Object.assign(server, {options, mails: [], refuse: null, commands: [], sockets: new Set()});
    server.net = net.createServer(socket => server.serve(socket));
    await new Promise((resolve, reject) => server.net.on('error', reject).listen(options.port ?? 0, '127.0.0.1', resolve));
    server.port = server.net.address().port;
    return server;
  }

  stop() {
    for (const socket of this.sockets) socket.destroy();
    return new Promise(resolve => this.net.close(resolve));
  }

  serve(socket, secure = false) {
    const state = {tls: secure, mail: {to: []}, lines: null};
    let rest = '';
    const say = line => socket.write(line + '\r\n');
    this.sockets.add(socket);
    socket.on('error', () => {}).on('close', () => this.sockets.delete(socket));
    const command = line => {
      const word = line.split(/[ :]/)[0].toUpperCase();
      this.commands.push(word);
      if (word === 'EHLO') {
        const more = [this.options.tls && !state.tls && 'STARTTLS', (state.tls || !this.options.tls) && this.options.user && 'AUTH PLAIN']
          .filter(Boolean);
        return say(['250-here', ...more.map(one => '250-' + one), '250 8BITMIME'].join('\r\n'));
      }
      if (word === 'STARTTLS') {
        say('220 go on');
        socket.removeAllListeners('data');
        return this.serve(new tls.TLSSocket(socket, {isServer: true, ...this.options.tls}), true);
      }
      if (word === 'AUTH' && !line.split(' ')[2]) {
        state.answer = true;
        return say('334 ');
      }
      if (word === 'AUTH' || state.answer) {
        const [, user, password] = Buffer.from(state.answer ? line : line.split(' ')[2], 'base64').toString().split('\0');
        state.answer = false;
        state.user = user;
        return say(user === this.options.user && password === this.options.password ? '235 welcome' : '535 no');
      }
      if (this.options.user && !state.user && word === 'MAIL') return say('530 who are you');
      if (word === 'MAIL') { state.mail.from = /<(.*?)>/.exec(line)?.[1]; return say(this.refuse === 'busy' ? '451 later' : '250 ok'); }
      if (word === 'RCPT') {
        if (this.refuse === 'RCPT') return say('550 no such person');
        state.mail.to.push(/<(.*?)>/.exec(line)?.[1]);
        return say('250 ok');
      }
      if (word === 'DATA') { state.lines = []; return say('354 go on'); }
      if (word === 'QUIT') { say('221 bye'); return socket.end(); }
      return say('250 ok');
    };
    const data = line => {
      if (line !== '.') return state.lines.push(line.replace(/^\.\./, '.'));
      this.mails.push({...state.mail, text: state.lines.join('\r\n'), tls: state.tls, user: state.user});
      Object.assign(state, {lines: null, mail: {to: []}});
      return setTimeout(() => say('250 taken'), this.slow ?? 0);
    };
    socket.on('data', bytes => {
      rest += bytes.toString('latin1');
      for (let at; (at = rest.indexOf('\r\n')) >= 0;) {
        const line = rest.slice(0, at);
        rest = rest.slice(at + 2);
        (state.lines ? data : command)(line);
      }
    });
    if (!secure) say('220 here');
  }
}

// The text of a quoted-printable mail, and its heads.
export function readMail(text) {
  const at = text.indexOf('\r\n\r\n');
  const heads = Object.fromEntries(text.slice(0, at).replace(/\r\n[ \t]/g, ' ').split('\r\n')
    .map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]));
  const bytes = text.slice(at + 4).replace(/=\r\n/g, '').replace(/=([0-9A-F]{2})/g, (_, hex) => String.fromCharCode(parseInt(hex, 16)));
  return {heads, body: Buffer.from(bytes, 'latin1').toString('utf8')};
}
