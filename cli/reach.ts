/** Whether a machine answers at all, and how an address is named without its secrets. */
import { connect } from 'node:net';

const DEFAULT_PORTS: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'postgres:': 5432,
  'postgresql:': 5432,
  'redis:': 6379,
  'rediss:': 6379,
};

/** `host:port` of an address: no user, password, path or query; null when it is none. */
export function toPlace(address: string): string | null {
  const url = URL.parse(address);
  if (url === null || url.hostname === '') return null;
  return `${url.hostname}:${url.port || (DEFAULT_PORTS[url.protocol] ?? 0)}`;
}

/** Whether somebody accepts a TCP connection there within `timeoutMs`; nothing is sent. */
export async function isReachable(address: string, timeoutMs = 3_000): Promise<boolean> {
  const url = URL.parse(address);
  if (url === null) return false;
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const port = Number(url.port) || (DEFAULT_PORTS[url.protocol] ?? 0);
  const socket = connect({ host: url.hostname.replaceAll(/^\[|\]$/g, ''), port });
  socket.setTimeout(timeoutMs, () => resolve(false));
  socket.on('connect', () => resolve(true));
  socket.on('error', () => resolve(false));
  const reached = await promise;
  socket.destroy();
  return reached;
}
