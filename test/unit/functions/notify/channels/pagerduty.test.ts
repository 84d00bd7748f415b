import { describe, expect, it } from 'vitest';

import { toPagerduty } from '../../../../../functions/notify/channels/pagerduty.ts';
import { makeMessage } from '../../../../support/messages.ts';

describe('toPagerduty', () => {
  it.each([
    ['critical', 'critical'],
    ['warning', 'warning'],
    ['info', 'info'],
    ['none', 'info'],
    ['unknown', 'warning'],
  ] as const)('maps %s to %s, and quiet to info', (severity, word) => {
    expect(toPagerduty(makeMessage({}, { severity }))).toMatchObject({ payload: { severity: word } });
    expect(toPagerduty(makeMessage({}, { severity, quiet: true }))).toMatchObject({
      payload: { severity: 'info' },
    });
  });

  it.each([
    [1_023, 1_023],
    [1_024, 1_024],
    [1_025, 1_024],
  ])('keeps a summary of %i characters within 1,024', (length, expected) => {
    const event = toPagerduty(makeMessage({ title: '🔥'.repeat(length) }));
    const summary = 'payload' in event ? event.payload.summary : '';
    expect(Array.from(summary)).toHaveLength(expected);
    expect(summary.endsWith('…')).toBe(length > 1_024);
  });

  it.each([
    [254, 254],
    [255, 255],
    [256, 255],
  ])('keeps a key of %i characters within 255', (length, expected) => {
    expect(toPagerduty(makeMessage({ key: 'k'.repeat(length) })).dedup_key).toHaveLength(expected);
  });

  it('keeps the text within its bytes', () => {
    const event = toPagerduty(makeMessage({ body: '🔥'.repeat(9_000) }));
    const text = 'payload' in event ? event.payload.custom_details.text : '';
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(16_384);
  });

  it('closes and acknowledges by the key alone', () => {
    const dedup_key = makeMessage().key;
    expect(toPagerduty(makeMessage({}, { kind: 'resolved' }))).toEqual({
      event_action: 'resolve',
      dedup_key,
    });
    expect(toPagerduty(makeMessage({ isDecision: true }))).toEqual({
      event_action: 'acknowledge',
      dedup_key,
    });
  });

  it('names a source even where nothing is known', () => {
    const nothing = { identity: '', namespace: null, cluster: '' };
    expect(toPagerduty(makeMessage({}, nothing))).toMatchObject({ payload: { source: 'alertgest' } });
  });
});
