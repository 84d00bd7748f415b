import { describe, expect, it } from 'vitest';
import { nextAttemptMs } from '../../../../functions/notify/backoff.ts';
import type { Failure } from '../../../../functions/notify/backoff.ts';

function makeFailure(overrides: Partial<Failure> = {}): Failure {
  return {
    attempts: 1,
    retryable: true,
    outcomeUnknown: false,
    unknownOutcomes: 0,
    keyed: false,
    retryAfterMs: undefined,
    ageMs: 0,
    giveUpAfterMs: 6 * 3_600_000,
    ...overrides,
  };
}

describe('the wait before the next try', () => {
  it.each([
    [1, 1_000],
    [2, 5_000],
    [3, 20_000],
    [4, 60_000],
    [5, 300_000],
    [50, 300_000],
  ])('after try %i is anything up to %i ms', (attempts, wholeMs) => {
    expect(nextAttemptMs(makeFailure({ attempts }), 0)).toBe(200);
    expect(nextAttemptMs(makeFailure({ attempts }), 0.5)).toBe(wholeMs / 2);
    expect(nextAttemptMs(makeFailure({ attempts }), 0.999)).toBeCloseTo(wholeMs, -3);
  });

  it("never undercuts the provider's Retry-After", () => {
    for (const random of [0, 0.5, 0.99])
      expect(nextAttemptMs(makeFailure({ retryAfterMs: 30_000 }), random)).toBeGreaterThanOrEqual(30_000);
  });

  it('is a minute at least when nobody knows whether the message was shown', () => {
    expect(
      nextAttemptMs(makeFailure({ outcomeUnknown: true, unknownOutcomes: 1 }), 0),
    ).toBeGreaterThanOrEqual(60_000);
    expect(nextAttemptMs(makeFailure({ outcomeUnknown: true, unknownOutcomes: 1, keyed: true }), 0)).toBe(
      200,
    );
  });
});

describe('giving up', () => {
  it('happens at once for a permanent failure', () => {
    expect(nextAttemptMs(makeFailure({ retryable: false }), 0)).toBeNull();
  });

  it('happens when the message is too old', () => {
    expect(nextAttemptMs(makeFailure({ ageMs: 6 * 3_600_000 }), 0)).toBeNull();
  });

  it('happens after three unknown outcomes where the provider cannot collapse repeats', () => {
    expect(nextAttemptMs(makeFailure({ outcomeUnknown: true, unknownOutcomes: 3 }), 0)).toBeNull();
    expect(
      nextAttemptMs(makeFailure({ outcomeUnknown: true, unknownOutcomes: 3, keyed: true }), 0),
    ).not.toBeNull();
  });
});
