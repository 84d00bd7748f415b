import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decide } from '../../../../functions/suppress-check/suppression.ts';
import { FIRST } from '../../../../functions/suppress-check/returns.ts';
import type { Facts, Limits } from '../../../../functions/suppress-check/suppression.ts';
import type { Decision } from '../../../../shared/postgres/decisions.ts';
import { SEVERITIES } from '../../../../shared/severity.ts';
import { at } from '../../../support/alerts.ts';

const limits: Limits = {
  stormIncidents: 30,
  stormCriticals: 10,
  flapOpenings: 3,
  flapWindowMs: 3_600_000,
  stormSummaryMs: 300_000,
  remindAfterMs: 4 * 3_600_000,
  tellAgainMs: 24 * 3_600_000,
};

function makeFacts(overrides: Partial<Facts> = {}): Facts {
  return {
    kind: 'opened',
    severity: 'warning',
    heartbeat: false,
    dueWhy: null,
    messageOf: null,
    receivedAt: at(0),
    openEpisodes: 1,
    dues: 0,
    decision: null,
    openedStatus: null,
    openedBatch: null,
    told: false,
    outside: null,
    longerAt: null,
    canaryOneIn: null,
    returned: FIRST,
    stormRank: 1,
    ...overrides,
  };
}

function makeDecision(kind: Decision['kind'], overrides: Partial<Decision> = {}): Decision {
  return { kind, until: null, note: null, actor: 'ann', generation: 1, ...overrides };
}

describe('the first alert of an incident', () => {
  it('is admitted', () => {
    expect(decide(makeFacts(), limits)).toMatchObject({ outcome: 'admitted', due: null });
  });

  it('is due again after four hours when it is critical', () => {
    expect(decide(makeFacts({ severity: 'critical' }), limits).due).toEqual({ at: at(240), why: 'reminder' });
  });

  it('is never told when it is a heartbeat', () => {
    expect(decide(makeFacts({ heartbeat: true, severity: 'critical' }), limits)).toMatchObject({
      outcome: 'suppressed',
      reason: 'heartbeat',
    });
  });
});

describe('decisions', () => {
  it('suppress an ignored issue and make it news when the term is over', () => {
    const verdict = decide(makeFacts({ decision: makeDecision('ignore', { until: at(60) }) }), limits);
    expect(verdict).toMatchObject({
      outcome: 'suppressed',
      reason: 'ignored',
      due: { at: at(60), why: 'ignore over' },
    });
    expect(verdict.why).toContain('ann');
  });

  it('do not silence a critical unless the person said why', () => {
    const ignore = (note: string | null) =>
      decide(makeFacts({ severity: 'critical', decision: makeDecision('ignore', { note }) }), limits).outcome;
    expect(ignore(null)).toBe('admitted');
    expect(ignore('known fault of the lab UPS')).toBe('suppressed');
  });

  it('make an issue kept for the digest news when the term is over', () => {
    const decision = makeDecision('digest', { until: at(60) });
    expect(decide(makeFacts({ decision }), limits)).toMatchObject({
      outcome: 'held',
      reason: 'digest-only',
      due: { at: at(60), why: 'digest over' },
    });
    // What is no news, or over, is not kept for anything.
    expect(decide(makeFacts({ decision, kind: 'grew' }), limits)).toMatchObject({ outcome: 'suppressed' });
    expect(decide(makeFacts({ decision, kind: 'due', openEpisodes: 0 }), limits)).toMatchObject({
      outcome: 'suppressed',
    });
  });

  it('push without sound when quiet', () => {
    expect(decide(makeFacts({ decision: makeDecision('quiet') }), limits)).toMatchObject({
      outcome: 'admitted',
      quiet: true,
    });
  });

  it('let an important issue through told, flapping and storm limits', () => {
    const decision = makeDecision('important');
    const story = { toldAt: at(-60), returns: 2 };
    expect(
      decide(makeFacts({ decision, stormRank: 99, returned: { story, flapping: 'goes on' } }), limits)
        .outcome,
    ).toBe('admitted');
    expect(decide(makeFacts({ decision, kind: 'grew', told: true }), limits).outcome).toBe('admitted');
  });
});

describe('the news that somebody decided', () => {
  it('is told without a sound, also when that very decision hides everything else, and when nothing fires', () => {
    for (const kind of ['ignore', 'snooze', 'digest'] as const) {
      const facts = {
        kind: 'due',
        dueWhy: 'decided',
        decision: makeDecision(kind),
        openEpisodes: 0,
      } as const;
      expect(decide(makeFacts(facts), limits)).toMatchObject({ outcome: 'admitted', quiet: true, due: null });
    }
  });
});

describe('growth', () => {
  it('is not told again when the incident was told or its message is on the way', () => {
    expect(decide(makeFacts({ kind: 'grew', told: true }), limits)).toMatchObject({
      outcome: 'suppressed',
      reason: 'told',
    });
    expect(decide(makeFacts({ kind: 'grew', openedStatus: 'classified' }), limits)).toMatchObject({
      reason: 'told',
    });
  });

  it('is told when nobody could be told of the beginning', () => {
    expect(decide(makeFacts({ kind: 'grew', openedStatus: 'dead', openEpisodes: 4 }), limits).outcome).toBe(
      'admitted',
    );
  });
});

describe('an end', () => {
  it('waits while its beginning is not final', () => {
    for (const openedStatus of ['received', 'classified', 'admitted'] as const) {
      expect(decide(makeFacts({ kind: 'resolved', openedStatus }), limits).outcome).toBe('wait');
    }
  });

  it('is no news when its beginning was part of a summary', () => {
    expect(
      decide(makeFacts({ kind: 'resolved', openedStatus: 'digested', openedBatch: '7' }), limits),
    ).toMatchObject({ reason: 'told' });
  });

  it('is told exactly when the beginning was', () => {
    expect(
      decide(makeFacts({ kind: 'resolved', openedStatus: 'notified', told: true }), limits).outcome,
    ).toBe('admitted');
    for (const openedStatus of ['suppressed', 'dead', 'held'] as const) {
      expect(decide(makeFacts({ kind: 'resolved', openedStatus }), limits)).toMatchObject({
        outcome: 'suppressed',
        reason: 'resolved-untold',
      });
    }
  });
});

describe('flapping', () => {
  const flaps = (flapping: 'begins' | 'goes on') => ({ returned: { story: null, flapping } });

  it('is said once, then held until it is calm', () => {
    expect(decide(makeFacts(flaps('begins')), limits)).toMatchObject({
      outcome: 'admitted',
      batchDueAt: null,
    });
    expect(decide(makeFacts(flaps('goes on')), limits)).toMatchObject({
      outcome: 'held',
      reason: 'flap',
      batchDueAt: at(60),
    });
  });

  it('says at the end whether it is calm, without a sound, or still firing', () => {
    expect(decide(makeFacts({ kind: 'due', messageOf: 'flap', openEpisodes: 0 }), limits)).toMatchObject({
      outcome: 'admitted',
      quiet: true,
    });
    expect(decide(makeFacts({ kind: 'due', messageOf: 'flap', openEpisodes: 2 }), limits)).toMatchObject({
      outcome: 'admitted',
      quiet: false,
    });
  });
});

describe('a return', () => {
  const story = { toldAt: at(-120), returns: 3 };
  const returned = { story, flapping: null };

  it('is the same story, and says when it was told', () => {
    expect(decide(makeFacts({ returned }), limits)).toMatchObject({
      outcome: 'suppressed',
      reason: 'told',
      why: 'told 2 h ago and never calm for long; it came back 3 times since',
    });
  });

  it('of a critical, or of a severity that nobody knows, is told each time', () => {
    for (const severity of ['critical', 'unknown'] as const)
      expect(decide(makeFacts({ returned, severity }), limits).outcome).toBe('admitted');
  });

  it('that a decision was made about goes by the decision', () => {
    const decision = makeDecision('ignore');
    expect(decide(makeFacts({ returned, decision }), limits).reason).toBe('ignored');
    const outside = 'it never lasted as long';
    expect(decide(makeFacts({ returned, decision, outside }), limits).outcome).toBe('admitted');
  });
});

describe('a storm', () => {
  it('holds what comes after the thirtieth incident in a minute, and criticals after the tenth', () => {
    const rank = (storm: number, severity: Facts['severity']) =>
      decide(makeFacts({ severity, stormRank: storm }), limits).outcome;
    expect([rank(30, 'warning'), rank(31, 'warning')]).toEqual(['admitted', 'held']);
    expect([rank(10, 'critical'), rank(11, 'critical')]).toEqual(['admitted', 'held']);
  });
});

describe('a reminder', () => {
  it('follows every way in which a critical is told', () => {
    const critical = { severity: 'critical', openEpisodes: 1 } as const;
    const dueOf = (facts: Partial<Facts>) => decide(makeFacts({ ...critical, ...facts }), limits).due?.why;
    expect(dueOf({ decision: makeDecision('important') })).toBe('reminder');
    expect(dueOf({ kind: 'due', dueWhy: 'snooze over' })).toBe('reminder');
    expect(dueOf({ returned: { story: null, flapping: 'begins' } })).toBe('reminder');
    expect(dueOf({ kind: 'due', messageOf: 'flap' })).toBe('reminder');
  });

  it('comes at doubling distances while the incident is open', () => {
    const due = (dues: number) =>
      decide(makeFacts({ kind: 'due', dueWhy: 'reminder', severity: 'critical', dues }), limits).due;
    expect(due(1)?.at).toEqual(at(480));
    expect(due(2)?.at).toEqual(at(960));
  });

  it('is dropped when the incident is over', () => {
    expect(decide(makeFacts({ kind: 'due', dueWhy: 'reminder', openEpisodes: 0 }), limits)).toMatchObject({
      outcome: 'suppressed',
      reason: 'over',
    });
  });
});

it('gives every possible notice a verdict with a sentence, and never drops an undecided critical opening', () => {
  const facts = fc.record({
    kind: fc.constantFrom('opened' as const, 'grew' as const, 'resolved' as const, 'due' as const),
    severity: fc.constantFrom(...SEVERITIES),
    openEpisodes: fc.nat({ max: 9 }),
    told: fc.boolean(),
    openedStatus: fc.constantFrom(null, 'received', 'notified', 'suppressed', 'held', 'dead'),
    dueWhy: fc.constantFrom(null, 'reminder', 'decision revoked'),
    storm: fc.integer({ min: 1, max: 10 }),
    story: fc.constantFrom(null, { toldAt: at(-60), returns: 2 }),
  });
  fc.assert(
    fc.property(facts, ({ storm, story, ...some }) => {
      const verdict = decide(
        makeFacts({ ...some, stormRank: storm, returned: { story, flapping: null } }),
        limits,
      );
      expect(verdict.why).not.toBe('');
      const mayBeDropped = some.kind !== 'opened' || some.severity !== 'critical';
      expect(mayBeDropped || verdict.outcome === 'admitted').toBe(true);
    }),
  );
});

describe('a night that pushes only what is critical', () => {
  const strict = { ...limits, nightPushSeverity: 'critical' } as const;
  const night = (overrides: Partial<Facts> = {}): string => {
    const { outcome, reason } = decide(makeFacts({ atNight: true, ...overrides }), strict);
    return `${outcome} ${reason ?? ''}`.trim();
  };

  it('holds what is quieter for the digest, and nothing by day', () => {
    expect(night({ severity: 'warning' })).toBe('held window');
    expect(night({ severity: 'info' })).toBe('held window');
    expect(night({ severity: 'warning', atNight: false })).toBe('admitted');
    expect(night({ severity: 'critical' })).toBe('admitted');
    expect(decide(makeFacts({ severity: 'warning', atNight: true }), limits).outcome).toBe('admitted');
  });

  it('never holds an unknown severity, what is important, or an escalation', () => {
    expect(night({ severity: 'unknown' })).toBe('admitted');
    expect(night({ severity: 'warning', decision: makeDecision('important') })).toBe('admitted');
    expect(
      night({ severity: 'warning', kind: 'due', dueWhy: 'not acknowledged for 15 min', openEpisodes: 1 }),
    ).toBe('admitted');
  });

  it('holds what time makes news, too, and lets no summary wake anybody', () => {
    expect(night({ severity: 'warning', kind: 'due', dueWhy: 'snooze over', openEpisodes: 1 })).toBe(
      'held window',
    );
    for (const messageOf of ['flap', 'storm'] as const)
      expect(
        decide(
          makeFacts({ severity: 'warning', atNight: true, kind: 'due', messageOf, openEpisodes: 1 }),
          strict,
        ),
      ).toMatchObject({ outcome: 'admitted', quiet: true });
  });

  it('tells by itself what its digest could not tell', () => {
    expect(night({ severity: 'warning', kind: 'due', messageOf: 'window', openEpisodes: 0 })).toBe(
      'admitted',
    );
  });
});
