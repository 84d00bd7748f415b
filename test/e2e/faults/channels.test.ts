/** A channel whose credentials were taken away, on the whole machine: its fallback tells, and it becomes one issue. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { makeFiring, startTestMachine } from '../../support/machine.ts';
import type { TestMachine } from '../../support/machine.ts';
import { startGotifySink, startNtfySink } from '../../support/sinks.ts';
import type { Sink } from '../../support/sinks.ts';

const ROUTES = `
channels:
  - { name: phone, type: ntfy }
  - { name: tablet, type: gotify, settings: { url: "env:TABLET_URL", token: "env:TABLET_TOKEN" } }
routes:
  - name: own
    matchers: [alertname=~"Alertgest.*"]
    channels: [phone]
  - name: rest
    channels: [tablet]
    fallback: [phone]
`;

describe('a channel that refuses', { timeout: 60_000 }, () => {
  let phone: Sink;
  let tablet: Sink;
  let machine: TestMachine;
  beforeAll(async () => {
    phone = await startNtfySink();
    tablet = await startGotifySink();
    machine = await startTestMachine({
      sink: phone,
      env: { TABLET_URL: tablet.url, TABLET_TOKEN: 'taken-away', ROUTES },
    });
  }, 60_000);
  afterAll(async () => {
    await machine.stop();
    await tablet.close();
  });

  it('is stood in for within seconds, each time', async () => {
    const began = performance.now();
    await machine.post([makeFiring(), makeFiring(), makeFiring()]);
    await phone.waitFor(3);
    expect(performance.now() - began).toBeLessThan(10_000);
    await machine.settle();
    phone.assertOnly(3);
    tablet.assertOnly(0);
    expect(tablet.requests).toHaveLength(3);
    expect(
      phone.pushes.every(({ text }) => text.includes('sent here because tablet could not be reached')),
    ).toBe(true);
    const [listed] = (await machine.get<{ deliveries: object[] }>('/api/v1/deliveries?limit=1')).deliveries;
    expect(listed).toMatchObject({ channel: 'phone', status: 'sent', instead_of: 'tablet' });
  });

  it('becomes one issue, however many it refused and however often the sweep looks', async () => {
    await machine.sweep();
    await machine.settle();
    await machine.sweep();
    await machine.settle();
    phone.assertOnly(4);
    expect(phone.pushes[3]?.title).toContain('AlertgestChannelDead');
    expect(phone.pushes[3]?.text).toContain('tablet did not take 3 messages');
  });
});
