/** A real SMTP server with one account, its ledger, and scripted refusals; the mail of a broken connection counts as seen. */
import type { AddressInfo, Socket } from 'node:net';
import { SMTPServer } from 'smtp-server';

/** One mail as the server has it. */
export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** Whether the session was encrypted. */
  readonly isEncrypted: boolean;
  /** Headers by lower-case name, unfolded. */
  readonly headers: ReadonlyMap<string, string>;
  readonly raw: string;
}

/** The step of a session at which a scripted answer comes. */
export type SmtpStep = 'greeting' | 'login' | 'sender' | 'recipient' | 'mail';

/** A refusal with a number, silence, or the end of the connection. */
export type SmtpAnswer = number | 'hang' | 'reset';

export interface SmtpSink {
  readonly env: Readonly<Record<string, string>>;
  readonly mails: readonly Mail[];
  /** Answers a step of the next session so; `address` narrows it to one recipient. */
  script(step: SmtpStep, answer: SmtpAnswer, address?: string): void;
  clear(): void;
  close(): Promise<void>;
}

/** The account's password; it must never be seen outside a session. */
export const SMTP_PASSWORD = 'sink-password';

/** A key and its certificate for `localhost`, signed by itself. */
export interface Certificate {
  readonly key: string;
  readonly cert: string;
}

/** Starts the server; with a certificate it takes sessions encrypted from the start (`tls`) or by STARTTLS. */
export async function startSmtpSink(
  security: 'none' | 'starttls' | 'tls' = 'none',
  certificate: Certificate | null = null,
): Promise<SmtpSink> {
  const sockets = new Set<Socket>();
  let mails: Mail[] = [];
  let scripted: { step: SmtpStep; answer: SmtpAnswer; address: string | undefined } | null = null;

  const answer = (step: SmtpStep, done: (error?: Error | null) => void, address?: string): void => {
    const { step: wanted, answer: how, address: narrowed } = scripted ?? {};
    if (wanted !== step || (narrowed !== undefined && narrowed !== address)) return done();
    scripted = null;
    if (how === 'hang') return;
    if (how === 'reset') {
      for (const socket of sockets) socket.resetAndDestroy();
      return;
    }
    done(Object.assign(new Error('No, dear ops@example.org, says the sink'), { responseCode: how }));
  };

  const server = new SMTPServer({
    ...(certificate === null ? { disabledCommands: ['STARTTLS' as const] } : certificate),
    secure: security === 'tls',
    allowInsecureAuth: true,
    disableReverseLookup: true,
    onConnect: (_session, done) => answer('greeting', done),
    onAuth: ({ username, password }, _session, done) =>
      answer('login', (error) => {
        const known = username === 'sink' && password === SMTP_PASSWORD;
        if (error !== undefined && error !== null) done(error);
        else if (known) done(null, { user: 'sink' });
        else done(Object.assign(new Error('Invalid username or password'), { responseCode: 535 }));
      }),
    onMailFrom: (_address, _session, done) => answer('sender', done),
    onRcptTo: ({ address }, _session, done) => answer('recipient', done, address),
    onData(stream, { envelope, secure }, done) {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const isSeen = scripted?.step !== 'mail' || scripted.answer === 'reset' || scripted.answer === 'hang';
        const from = envelope.mailFrom === false ? '' : envelope.mailFrom.address;
        const raw = Buffer.concat(chunks).toString('utf8');
        if (isSeen)
          mails.push({
            from,
            isEncrypted: secure,
            to: envelope.rcptTo.map(({ address }) => address),
            headers: toHeaders(raw),
            raw,
          });
        answer('mail', done);
      });
    },
  });
  server.on('error', () => undefined);
  server.server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.server.address() as AddressInfo;
  return {
    env: {
      EMAIL_HOST: certificate === null ? '127.0.0.1' : 'localhost',
      EMAIL_PORT: String(port),
      EMAIL_SECURITY: security,
      EMAIL_USER: 'sink',
      EMAIL_PASSWORD: SMTP_PASSWORD,
      EMAIL_FROM: 'alerts@example.org',
      EMAIL_TO: 'ops@example.org, oncall@example.org',
    },
    get mails() {
      return mails;
    },
    script(step, how, address) {
      scripted = { step, answer: how, address };
    },
    clear() {
      mails = [];
      scripted = null;
    },
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
}

function toHeaders(raw: string): ReadonlyMap<string, string> {
  const head = raw.slice(0, raw.indexOf('\r\n\r\n')).replaceAll(/\r\n[ \t]+/g, ' ');
  return new Map(
    head.split('\r\n').map((line) => {
      const colon = line.indexOf(':');
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()];
    }),
  );
}
