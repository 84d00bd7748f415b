/** A fixed address before a server that comes, goes and comes back on another port. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';

export interface TcpProxy {
  readonly port: number;
  /** Where new connections go; null refuses them, and cuts those that are open. */
  setTarget(port: number | null): void;
  /** Takes connections and never answers, as a machine that lost its network does. */
  blackhole(): void;
  close(): Promise<void>;
}

/** Starts a proxy on loopback that leads to `port`. */
export async function startTcpProxy(port: number): Promise<TcpProxy> {
  let target: number | 'nowhere' | null = port;
  const sockets = new Set<Socket>();
  const keep = (socket: Socket): void => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => socket.destroy());
  };
  const server = createServer((incoming) => {
    keep(incoming);
    if (target === 'nowhere') return;
    if (target === null) {
      incoming.resetAndDestroy();
      return;
    }
    const outgoing = connect(target, '127.0.0.1');
    keep(outgoing);
    incoming.pipe(outgoing).pipe(incoming);
    incoming.on('close', () => outgoing.destroy());
    outgoing.on('close', () => incoming.destroy());
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    setTarget(next) {
      target = next;
      if (next === null) cut();
    },
    blackhole() {
      target = 'nowhere';
      for (const socket of sockets) socket.unpipe().pause();
    },
    close() {
      return new Promise((done) => {
        server.close(() => done());
        cut();
      });
    },
  };
}
