/** A fixed address before a server that comes, goes and comes back on another port; and every way a network can fail it. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Connections taken so far. */
  readonly connections: number;
  /** Where new connections go; null refuses them, and cuts those that are open. */
  setTarget(port: number | null): void;
  /** Cuts the connections that are open; new ones are led on. */
  cut(): void;
  /** Takes connections and never answers, as a machine that lost its network does. */
  blackhole(): void;
  /** Answers come this much later, in milliseconds; 0 is at once again. */
  setLatency(ms: number): void;
  /** Each connection is reset once it has answered this many bytes; null lets them live. */
  resetAfter(bytes: number | null): void;
  close(): Promise<void>;
}

/** Starts a proxy on loopback that leads to `port`. */
export async function startTcpProxy(port: number): Promise<TcpProxy> {
  let target: number | 'nowhere' | null = port;
  let latencyMs = 0;
  let bytesLeft: number | null = null;
  let connections = 0;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  };
  const server = createServer((incoming) => {
    connections++;
    keep(incoming);
    if (target === 'nowhere') return;
    if (target === null) {
      incoming.resetAndDestroy();
      return;
    }
    const outgoing = connect(target, '127.0.0.1');
    keep(outgoing);
    incoming.pipe(outgoing);
    answer(outgoing, incoming);
    incoming.on('close', () => outgoing.destroy());
    outgoing.on('close', () => setTimeout(() => incoming.destroy(), latencyMs));
  });
  /** Hands answers on: late, or until so many bytes were handed on. */
  const answer = (outgoing: Socket, incoming: Socket): void => {
    let answered = 0;
    outgoing.on('data', (chunk: Buffer) => {
      answered += chunk.length;
      if (bytesLeft !== null && answered > bytesLeft) {
        incoming.resetAndDestroy();
        return;
      }
      const write = (): void => {
        if (incoming.writable) incoming.write(chunk);
      };
      if (latencyMs > 0) setTimeout(write, latencyMs);
      else write();
    });
  };
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    get connections() {
      return connections;
    },
    setTarget(next) {
      target = next;
      if (next === null) cut();
    },
    cut,
    blackhole() {
      target = 'nowhere';
      for (const socket of sockets) socket.unpipe().removeAllListeners('data').pause();
    },
    setLatency(ms) {
      latencyMs = ms;
    },
    resetAfter(bytes) {
      bytesLeft = bytes;
    },
    close() {
      return new Promise((done) => {
        server.close(() => done());
        cut();
      });
    },
  };
}
