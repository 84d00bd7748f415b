import { afterEach, describe, expect, test } from 'vitest';

import { startTestMachine } from '../../support/machine.ts';
import type { TestMachine } from '../../support/machine.ts';

describe('an event that a function refuses for good', { timeout: 60_000 }, () => {
  let machine: TestMachine;
  afterEach(() => machine.stop());

  test('is recorded, and people are told once that something refuses events', async () => {
    machine = await startTestMachine();
    for (const id of ['1', '2', '3']) await publish(id);
    await expect.poll(countDeadLetters, { timeout: 20_000 }).toBe(3);
    await machine.settle();

    const pushes = machine.sink.pushes.filter(({ title }) => title.includes('AlertgestDeadLetter'));
    expect(pushes).toHaveLength(1);
    machine.sink.assertOnly(1);
    expect(await machine.notices()).toEqual([
      expect.objectContaining({ alertname: 'AlertgestDeadLetter', kind: 'opened', status: 'notified' }),
    ]);
  });

  /** An event about a notice that does not exist: notify answers 400, which no broker tries again. */
  async function publish(id: string): Promise<void> {
    const response = await fetch(machine.machine.broker.url, {
      method: 'POST',
      headers: {
        'ce-specversion': '1.0',
        'ce-id': id,
        'ce-type': 'dev.alertgest.notice.admitted',
        'ce-source': '/test',
        'ce-subject': 'ag-0000000000000000.opened',
      },
    });
    expect(response.status).toBe(202);
  }

  async function countDeadLetters(): Promise<number> {
    const [row] = await machine.query<{ count: string }>('select count(*) from dead_letters');
    return Number(row?.count);
  }
});
