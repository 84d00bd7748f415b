import { describe, expect, it } from 'vitest';
import { toOutcome } from '../../../cli/simulate.ts';

const count = {
  pattern: 'v1:a',
  alertname: 'Noise',
  severity: 'warning',
  title: 'api',
  incidents: 20,
  pushed: 12,
  hidden: 5,
};

describe('a simulated decision', () => {
  it('hides every incident when it ignores, and names the criticals that came after', () => {
    expect(toOutcome(count, { kind: 'ignore' }, 2)).toMatchObject({ wouldPush: 0, wouldHide: 20, missed: 2 });
  });

  it('hides no critical without a note', () => {
    const critical = { ...count, severity: 'critical' };
    expect(toOutcome(critical, { kind: 'ignore' }, 2)).toMatchObject({
      wouldPush: 17,
      wouldHide: 0,
      missed: 0,
    });
    expect(toOutcome(critical, { kind: 'ignore', note: 'lab' }, 2)).toMatchObject({ wouldHide: 20 });
  });

  it('tells what was hidden when it is revoked, and everything when it is important', () => {
    expect(toOutcome(count, { kind: 'revoke' }, 0)).toMatchObject({ wouldPush: 17, wouldHide: 0 });
    expect(toOutcome(count, { kind: 'important' }, 0)).toMatchObject({ wouldPush: 20 });
    expect(toOutcome(count, { kind: 'note' }, 0)).toMatchObject({ wouldPush: 12, wouldHide: 5 });
  });
});
