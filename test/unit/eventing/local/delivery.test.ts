import { describe, expect, it } from 'vitest';

import { backoffMs, isRetried, type Policy } from '../../../../eventing/local/delivery.ts';
import { createSlots } from '../../../../eventing/local/slots.ts';
import { createRandom } from '../../../../eventing/local/switches.ts';

describe('backoffMs', () => {
  const policy: Policy = { retry: 3, backoffDelayMs: 1_000, timeoutMs: 30_000 };

  it.each([
    ['linear', [0, 1_000, 2_000, 3_000]],
    ['exponential', [1_000, 2_000, 4_000, 8_000]],
    [undefined, [0, 0, 0, 0]],
  ] as const)('waits with %s backoff %j', (backoffPolicy, expected) => {
    expect([0, 1, 2, 3].map((retry) => backoffMs({ ...policy, backoffPolicy }, retry))).toEqual(expected);
  });
});

describe('isRetried', () => {
  it('follows the table of the real broker', () => {
    const statuses = [
      300, 304, 400, 401, 403, 404, 405, 408, 409, 410, 413, 415, 422, 429, 500, 502, 503, 504,
    ];

    expect(statuses.filter(isRetried)).toEqual([404, 408, 409, 429, 500, 502, 503, 504]);
  });
});

describe('createSlots', () => {
  it('runs no more than its limit at once, in order, and survives failures', async () => {
    const slots = createSlots(2);
    const order: number[] = [];
    let running = 0;
    let most = 0;
    const results = await Promise.allSettled(
      Array.from({ length: 3_000 }, (_, index) =>
        slots.run(async () => {
          order.push(index);
          running += 1;
          most = Math.max(most, running);
          await Promise.resolve();
          running -= 1;
          if (index % 7 === 0) throw new Error('failed');
        }),
      ),
    );

    expect(results).toHaveLength(3_000);
    expect(most).toBe(2);
    expect(order).toEqual([...order].sort((left, right) => left - right));
  });
});

describe('createRandom', () => {
  it('repeats itself for the same seed and spreads evenly', () => {
    const [one, two] = [createRandom(7), createRandom(7)];
    const numbers = Array.from({ length: 2_000 }, one);

    expect(numbers).toEqual(Array.from({ length: 2_000 }, two));
    expect(numbers.filter((number) => number < 0.25).length / 2_000).toBeCloseTo(0.25, 1);
  });
});
