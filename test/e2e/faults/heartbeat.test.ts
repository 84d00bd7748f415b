import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';

import { afterEach, beforeEach, describe, expect, test } from 'vitest';

import { makeFiring, startTestMachine } from '../../support/machine.ts';
import type { TestMachine } from '../../support/machine.ts';

describe('the heartbeat', { timeout: 60_000 }, () => {
  let machine: TestMachine;
  let watcher: Server;
  let beats = 0;

  beforeEach(async () => {
    beats = 0;
    watcher = createServer((incoming, outgoing) => {
      if (incoming.url === '/beat') beats++;
      outgoing.end('ok');
    });
    await new Promise<void>((done) => watcher.listen(0, '127.0.0.1', done));
    const { port } = watcher.address() as AddressInfo;
    machine = await startTestMachine({ env: { HEARTBEAT_URL: `http://127.0.0.1:${port}/beat` } });
  });
  afterEach(async () => {
    await machine.stop();
    watcher.closeAllConnections();
    await new Promise((done) => watcher.close(done));
  });

  test('beats with each sweep, and stays away while something that was accepted is told to nobody', async () => {
    await machine.sweep();
    expect(beats).toBe(1);

    await machine.functions.kill('notify', 'SIGTERM');
    await machine.post([makeFiring()]);
    await expect.poll(async () => (await machine.notices())[0]?.status, { timeout: 20_000 }).toBe('admitted');
    await machine.query(`update notices set status_at = status_at - interval '10 minutes'`);
    await machine.sweep();
    expect(beats).toBe(1);

    await machine.functions.start('notify');
    await machine.sweep();
    await machine.settle();
    await machine.sweep();
    expect(beats).toBeGreaterThanOrEqual(2);
  });

  test('stays away when a Watchdog that was seen is not seen any more', async () => {
    await machine.post([{ ...makeFiring(), labels: { alertname: 'Watchdog' } }]);
    await machine.settle();
    await machine.sweep();
    expect(beats).toBe(1);

    await machine.query(`update patterns set last_seen = last_seen - interval '2 days' where heartbeat`);
    await machine.query(`update episodes set last_seen = last_seen - interval '2 days'`);
    await machine.sweep();
    expect(beats).toBe(1);
  });
});
