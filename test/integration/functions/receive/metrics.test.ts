/** What a real receive process counts of what it is sent. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeAlertEntry, makeWebhook } from '../../../support/alerts.ts';
import { startReceiver } from '../../../support/receiver.ts';
import type { Receiver } from '../../../support/receiver.ts';

let receiver: Receiver;

beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.stop());

describe('receive', () => {
  it('counts alerts by severity and status, and what it refused', async () => {
    const mixed = [
      makeAlertEntry(),
      makeAlertEntry({ status: 'resolved' }),
      makeAlertEntry({ labels: { severity: 'page' } }),
      { status: 'firing', labels: 'none' },
    ];
    expect((await receiver.post(makeWebhook(mixed))).status).toBe(200);
    expect((await receiver.post('no JSON')).status).toBe(400);
    expect((await receiver.post(makeWebhook(mixed), { authorization: null })).status).toBe(401);
    expect(await read()).toEqual({
      'received critical firing': 1,
      'received warning firing': 1,
      'received warning resolved': 1,
      'received unknown unknown': 1,
      'stored critical': 1,
      'stored warning': 2,
      'discarded unusable': 1,
      'discarded invalid': 1,
      'discarded unauthorized': 1,
    });
  });

  it('writes down the refusals of the last minute when it ends', async () => {
    for (let refusal = 0; refusal < 3; refusal++) await receiver.post('{}', { authorization: null });
    expect((await read())['discarded unauthorized']).toBe(1);
    process.kill(receiver.pid() ?? 0, 'SIGTERM');
    await expect.poll(async () => (await read())['discarded unauthorized'], { timeout: 10_000 }).toBe(4);
  });
});

async function read(): Promise<Record<string, number>> {
  const rows = await receiver.query<{ name: string; labels: Record<string, string>; value: number }>(
    `select replace(replace(name, 'alertgest_alerts_', ''), '_total', '') as name, labels, sum(value)::int as value
     from metric_changes where name like 'alertgest_alerts_%' group by name, labels`,
  );
  return Object.fromEntries(
    rows.map(({ name, labels, value }) => [
      [name, labels['severity'], labels['status'], labels['reason']]
        .filter((part) => part !== undefined)
        .join(' '),
      value,
    ]),
  );
}
