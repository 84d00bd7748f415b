import dns from 'node:dns';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';

import { InvalidInputError } from '../../../shared/errors.ts';
import { HttpFailure, parseRetryAfter, request, type HttpRequest } from '../../../shared/http.ts';

describe('request', () => {
  let listener: http.RequestListener;
  let server: http.Server;
  let url: string;

  beforeEach(async () => {
    server = http.createServer((incoming, outgoing) => listener(incoming, outgoing));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterEach(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });

  it('sends method, headers and body and returns status, headers and body', async () => {
    listener = (incoming, outgoing) => {
      incoming.setEncoding('utf8').on('data', (body: string) => {
        outgoing.setHeader(
          'x-seen',
          `${incoming.method} ${String(incoming.headers['x-a'])} ${incoming.headers['content-length']}`,
        );
        outgoing.writeHead(201).end(`${body}é`);
      });
    };
    const answer = await request({ method: 'PUT', url, headers: { 'x-a': 'b' }, body: 'é' });
    expect(answer).toMatchObject({ status: 201, body: 'éé', headers: { 'x-seen': 'PUT b 2' } });
  });

  it('keeps the connection for the next request', async () => {
    const ports = new Set<number | undefined>();
    listener = (incoming, outgoing) => {
      ports.add(incoming.socket.remotePort);
      outgoing.end();
    };
    for (let count = 0; count < 3; count += 1) await request({ method: 'GET', url });
    expect(ports.size).toBe(1);
  });

  it('refuses a redirect', async () => {
    listener = (_incoming, outgoing) => outgoing.writeHead(302, { location: 'http://127.0.0.1:1/' }).end();
    expect(await failureOf({ method: 'GET', url })).toMatchObject({
      kind: 'redirect',
      outcomeUnknown: false,
    });
  });

  it('stops reading a long answer', async () => {
    listener = (_incoming, outgoing) => outgoing.end('x'.repeat(70_000));
    expect(await failureOf({ method: 'GET', url })).toMatchObject({
      kind: 'too-large',
      outcomeUnknown: true,
    });
    const answer = await request({ method: 'GET', url, maxBodyBytes: 70_000 });
    expect(answer.body).toHaveLength(70_000);
  });

  it('returns a refusal even when its body is too long, stalls or breaks', async () => {
    listener = (_incoming, outgoing) => outgoing.writeHead(500).end('x'.repeat(70_000));
    expect(await request({ method: 'GET', url })).toMatchObject({ status: 500, body: 'x'.repeat(65_536) });
    listener = (_incoming, outgoing) => outgoing.writeHead(401).write('half');
    expect(await request({ method: 'GET', url, timeoutMs: 100 })).toMatchObject({
      status: 401,
      body: 'half',
    });
    listener = (incoming, outgoing) => {
      outgoing.writeHead(503, { 'content-length': '10' }).write('half', () => incoming.socket.destroy());
    };
    expect(await request({ method: 'GET', url })).toMatchObject({ status: 503 });
  });

  it('ends a call that takes too long or is aborted, and does not know its outcome', async () => {
    listener = () => undefined;
    const timeout = await failureOf({ method: 'POST', url, body: 'x', timeoutMs: 100 });
    expect(timeout).toMatchObject({ kind: 'timeout', outcomeUnknown: true });
    const signal = AbortSignal.timeout(100);
    expect(await failureOf({ method: 'POST', url, body: 'x', signal })).toMatchObject({
      outcomeUnknown: true,
    });
  });

  it('does not start a call that is aborted already', async () => {
    const failure = await failureOf({ method: 'GET', url, signal: AbortSignal.abort() });
    expect(failure).toMatchObject({ kind: 'timeout', outcomeUnknown: false });
  });

  it('knows that a refused connection carried nothing', async () => {
    const gone = await closedPort();
    const failure = await failureOf({ method: 'POST', url: `http://127.0.0.1:${gone}/`, body: 'x' });
    expect(failure).toMatchObject({ kind: 'connect', outcomeUnknown: false });
    expect(failure.message).toContain('ECONNREFUSED');
  });

  it('knows that an unfinished TLS handshake carried nothing', async () => {
    const silent = net.createServer((socket) => socket.on('error', () => undefined));
    await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
    const { port } = silent.address() as AddressInfo;
    const failure = await failureOf({
      method: 'POST',
      url: `https://127.0.0.1:${port}/`,
      body: 'x',
      timeoutMs: 100,
    });
    expect(failure).toMatchObject({ kind: 'timeout', outcomeUnknown: false });
    silent.close();
  });

  it('knows that a connection broken after the request may have carried it', async () => {
    listener = (incoming) => incoming.resume().on('end', () => incoming.socket.resetAndDestroy());
    const failure = await failureOf({ method: 'POST', url, body: 'x' });
    expect(failure).toMatchObject({ kind: 'reset', outcomeUnknown: true });
  });

  it.each([
    'http://169.254.169.254/latest/meta-data/',
    'http://[::ffff:169.254.169.254]/',
    'http://2852039166/',
    'http://0xA9FEA9FE/',
    'http://[fe80::1]/',
    'http://100.100.100.200/',
  ])('never connects to %s', async (blocked) => {
    const failure = await failureOf({ method: 'GET', url: blocked, timeoutMs: 1_000 });
    expect(failure).toMatchObject({ kind: 'connect', outcomeUnknown: false });
  });

  it('never connects to a name that turns into a blocked address', async () => {
    const answer = [
      { address: '127.0.0.1', family: 4 },
      { address: '169.254.169.254', family: 4 },
    ];
    const resolver = vi.spyOn(dns, 'lookup').mockImplementation((...args: unknown[]) => {
      (args.at(-1) as (error: null, found: unknown) => void)(null, answer);
    });
    const failure = await failureOf({ method: 'GET', url: 'http://rebinding.example/', timeoutMs: 1_000 });
    resolver.mockRestore();
    expect(failure).toMatchObject({ kind: 'connect', outcomeUnknown: false });
    expect(failure.message).toContain('EBLOCKED');
  });

  it('connects to names of this machine', async () => {
    listener = (_incoming, outgoing) => outgoing.end('here');
    const local = url.replace('127.0.0.1', 'localhost');
    expect(await request({ method: 'GET', url: local })).toMatchObject({ body: 'here' });
  });

  it('refuses header values that could forge a header, naming the header only', async () => {
    for (const value of ['a\r\nx-evil: 1', 'a\nb', 'a\0', 'é']) {
      const sending = request({ method: 'GET', url, headers: { 'x-a': value } });
      await expect(sending).rejects.toThrow(InvalidInputError);
      await expect(sending).rejects.toThrow('the header x-a has characters that are not allowed in a header');
    }
  });

  it('names protocol and host in errors and nothing else of the address', async () => {
    const gone = await closedPort();
    const secret = `http://user:canary@127.0.0.1:${gone}/canary?canary=1`;
    const failure = await failureOf({ method: 'GET', url: secret, headers: { 'x-a': 'canary' } });
    expect(failure.message).toContain(`http://127.0.0.1:${gone}:`);
    expect(`${failure.stack} ${JSON.stringify(failure)} ${String(failure.cause)}`).not.toContain('canary');
    await expect(request({ method: 'GET', url: 'canary' })).rejects.not.toThrow('canary');
    await expect(request({ method: 'GET', url: 'ftp://canary' })).rejects.toThrow(InvalidInputError);
  });
});

describe('parseRetryAfter', () => {
  const now = new Date('2024-01-15T02:30:00Z');

  it.each([
    ['30', 30_000],
    [' 0 ', 0],
    ['7200', 3_600_000],
    ['Mon, 15 Jan 2024 02:31:00 GMT', 60_000],
    ['Mon, 15 Jan 2024 02:29:00 GMT', 0],
    ['Tue, 16 Jan 2024 02:30:00 GMT', 3_600_000],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('reads %j as %j ms', (header, expected) => {
    expect(parseRetryAfter(header, now)).toBe(expected);
  });
});

async function failureOf(options: HttpRequest): Promise<HttpFailure> {
  const outcome = await request(options).then(
    () => 'answered',
    (error: unknown) => error,
  );
  expect(outcome).toBeInstanceOf(HttpFailure);
  return outcome as HttpFailure;
}

async function closedPort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
