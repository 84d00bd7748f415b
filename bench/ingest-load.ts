/**
 * Sends webhooks as fast as they are answered, from a process of its own and over bare sockets with requests made
 * beforehand, so that the sender costs little of the machine it shares with what it measures.
 */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { makeAlert, makeWebhook } from './alerts.ts';

export interface LoadJob {
  readonly port: number;
  readonly run: string;
  readonly alerts: number;
  readonly perWebhook: number;
  readonly connections: number;
  /** How often the whole is sent; later rounds are repeats. */
  readonly rounds: number;
}

process.on('message', (job: LoadJob) => {
  send(job).then(
    (elapsedMs) => process.send?.({ elapsedMs }),
    (error: unknown) => process.send?.({ error: String(error) }),
  );
});

/** Sends all webhooks; answers the time of the last round in milliseconds. */
async function send(job: LoadJob): Promise<number> {
  const requests = makeRequests(job);
  const sockets = Array.from({ length: job.connections }, () => connect(job.port, '127.0.0.1'));
  await Promise.all(sockets.map((socket) => once(socket, 'connect')));
  let elapsedMs = 0;
  for (let round = 0; round < job.rounds; round++) {
    const queue = requests.values();
    const startedAt = performance.now();
    await Promise.all(sockets.map((socket) => drain(socket, queue)));
    elapsedMs = performance.now() - startedAt;
  }
  for (const socket of sockets) socket.destroy();
  return elapsedMs;
}

function makeRequests(job: LoadJob): Buffer[] {
  const startsAt = new Date(Date.now() - 60_000).toISOString();
  return Array.from({ length: Math.ceil(job.alerts / job.perWebhook) }, (_, webhook) => {
    const alerts = Array.from({ length: job.perWebhook }, (_, index) =>
      makeAlert(job.run, webhook * job.perWebhook + index, startsAt),
    );
    const body = Buffer.from(makeWebhook(alerts));
    const head = `POST /api/v1/alerts HTTP/1.1\r\nhost: receive\r\nuser-agent: Alertmanager/0.25.0\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;
    return Buffer.concat([Buffer.from(head), body]);
  });
}

async function drain(socket: Socket, queue: Iterator<Buffer>): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const next = (): void => {
    const request = queue.next();
    if (request.done === true) resolve();
    else socket.write(request.value);
  };
  let answer = '';
  const onData = (data: Buffer): void => {
    answer += data.toString('latin1');
    const head = answer.indexOf('\r\n\r\n');
    if (head === -1) return;
    const length = Number(/content-length: (\d+)/i.exec(answer)?.[1] ?? Number.NaN);
    if (!answer.startsWith('HTTP/1.1 200') || Number.isNaN(length)) {
      reject(new Error(`receive answered ${answer.slice(0, 300)}`));
    } else if (answer.length >= head + 4 + length) {
      answer = '';
      next();
    }
  };
  const onEnd = (): void => reject(new Error('receive closed a connection'));
  socket.on('data', onData).on('close', onEnd).on('error', onEnd);
  next();
  await promise;
  socket.removeListener('data', onData).removeListener('close', onEnd).removeListener('error', onEnd);
}
